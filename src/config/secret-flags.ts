import type { Flag } from './flags.ts';
import { bool, domains, secretTypes } from './values.ts';

/** Whether Secrets are made of classes, and which. */
export const SECRET_FLAGS = {
  'sync-secret': {
    env: 'SYNC_SECRET',
    default: 'false',
    help: "Create the Kubernetes Secrets of the `secretObjects` of SecretProviderClasses. The driver's `syncSecret` must then be off. Needs the name of the node.",
    parse: bool,
  },
  'sync-secret-allowed-types': {
    env: 'SYNC_SECRET_ALLOWED_TYPES',
    default: '*',
    value: 'TYPES',
    help: 'Types of Secrets that classes may ask for, separated by commas. `*` is every type but those that controllers act upon, such as `kubernetes.io/service-account-token`, `bootstrap.kubernetes.io/token` and `helm.sh/release.v1`: these have to be named.',
    parse: secretTypes,
  },
  'sync-secret-denied-metadata': {
    env: 'SYNC_SECRET_DENIED_METADATA',
    default: 'default',
    value: 'DOMAINS',
    help: 'Domains, separated by commas, of labels and annotations that classes may not give Secrets, each with those below it. `default` are those of Kubernetes and of controllers that act upon Secrets; `!example.com` takes one out; `none` denies nothing.',
    parse: domains,
  },
} as const satisfies Readonly<Record<string, Flag<unknown>>>;
