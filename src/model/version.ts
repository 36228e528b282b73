import manifest from '../../package.json' with { type: 'json' };

/** Our name, as the driver and AWS see it. */
export const NAME = 'aws-secrets-csi';

/** Semantic version of this build. */
export const VERSION: string = manifest.version;
