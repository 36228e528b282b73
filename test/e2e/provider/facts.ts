import type { Certificates } from '../../fakes/aws/certificates.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What the scenarios of one run share. */
    readonly provider: ProviderFacts;
  }
}

export interface ProviderFacts {
  /** Address of a moto; each scenario takes an account of its own. */
  readonly motoUrl: string;
  /** Of the service accounts' tokens. */
  readonly issuer: string;
  /** Those by which a scenario's AWS proves to the provider that it is AWS. */
  readonly certificates: Certificates;
  /** The provider's image. */
  readonly image: string;
}

/** Where the provider finds AWS: each scenario's own, one after the other, on this port of `cluster.hostAddress`. */
export const AWS_PORT = 8443;

/** What classes name to choose one of the releases that stand through all scenarios. */
export const PROVIDER_WRITES = 'aws';
export const DRIVER_WRITES = 'aws-driver-writes';
export const LOOKS_AFTER = 'aws-looks-after';

/** How often the last one asks AWS. */
export const INTERVAL_MS = 10_000;
/** A rotation has to be in the files by then: five seconds more than that. */
export const FRESH_WITHIN_MS = INTERVAL_MS + 5_000;
/** Its values, less the name of its socket. */
export const LOOKING_AFTER = {
  enableSecretRotation: true,
  rotationPollInterval: `${INTERVAL_MS / 1000}s`,
  syncSecret: { enabled: true },
  tokenRequest: { enabled: true },
  restartOnRotation: { enabled: true, minInterval: '1s' },
};

export const BOTH_WAYS = [
  ['the provider writes the files', PROVIDER_WRITES],
  ['the driver writes the files', DRIVER_WRITES],
] as const;
