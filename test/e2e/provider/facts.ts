import type { Certificates } from '../../fakes/aws/certificates.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Shared by the scenarios of one run. */
    readonly provider: ProviderFacts;
  }
}

export interface ProviderFacts {
  /** Address of a moto; each scenario uses a separate account. */
  readonly motoUrl: string;
  /** Of the service accounts' tokens. */
  readonly issuer: string;
  /** The TLS certificates of a scenario's AWS. */
  readonly certificates: Certificates;
  /** The provider's image. */
  readonly image: string;
}

/** The provider reaches AWS on this port of `cluster.hostAddress`: that of the running scenario. */
export const AWS_PORT = 8443;

/** Provider names of the releases that are installed during all scenarios. */
export const PROVIDER_WRITES = 'aws';
export const DRIVER_WRITES = 'aws-driver-writes';
export const ALL_FEATURES = 'aws-all-features';

/** The poll interval of the last one. */
export const INTERVAL_MS = 10_000;
/** The files must have a rotated value by then: five seconds more than that. */
export const FRESH_WITHIN_MS = INTERVAL_MS + 5_000;
/** Its values, without the name of its socket. */
export const ALL_FEATURES_VALUES = {
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
