import manifest from '../../package.json' with { type: 'json' };

/** Name of the provider for the driver and AWS. */
export const NAME = 'aws-secrets-csi';

/** Semantic version of this build. */
export const VERSION: string = manifest.version;
