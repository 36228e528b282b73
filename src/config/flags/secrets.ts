import { type FlagTable, bool, domains, secretTypes } from './flag-types.ts';

/** Whether Kubernetes Secrets are created, and which. */
export const SECRET_FLAGS = {
  'sync-secret': {
    type: bool,
    default: 'false',
    help: "Create the Kubernetes Secrets of the `secretObjects` of SecretProviderClasses. The driver's `syncSecret` must then be off. Needs the name of the node.",
  },
  'sync-secret-allowed-types': {
    type: secretTypes,
    default: '*',
    help: 'Types of Secrets that classes may create, separated by commas. `*` is every type but those that controllers act upon, such as `kubernetes.io/service-account-token`, `bootstrap.kubernetes.io/token` and `helm.sh/release.v1`: these must be listed.',
  },
  'sync-secret-denied-metadata': {
    type: domains,
    default: 'default',
    help: 'Domains, separated by commas, of labels and annotations that classes may not set on Secrets, each including its subdomains. `default` stands for those of Kubernetes and of controllers that act upon Secrets; `!example.com` excludes one; `none` denies nothing.',
  },
} as const satisfies FlagTable;
