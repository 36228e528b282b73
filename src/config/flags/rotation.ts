import { type FlagTable, bool, durationUpTo, integer, url } from './flag-types.ts';

/** How long values are cached, and how changes reach volumes and workloads. */
export const ROTATION_FLAGS = {
  'cache-max-bytes': {
    type: integer('BYTES'),
    default: '16777216',
    help: 'Memory for all cached values together; 0 caches versions only.',
  },
  'rotation-poll-interval': {
    type: durationUpTo('24h'),
    default: '2m',
    help: 'Longest time that a value from AWS is cached for the identity that read it; a class can only shorten it. A mount within this time needs no call to AWS. With rotation: how often AWS is polled.',
  },
  'enable-secret-rotation': {
    type: bool,
    default: 'false',
    help: 'Poll AWS once per interval for every mounted volume of this node, and update the files that changed. Needs the name of the node.',
  },
  'rotation-queue-url': {
    type: url,
    help: 'SQS queue of change events from EventBridge: the objects that they name are refreshed at once. Needs rotation.',
  },
  'restart-on-rotation': {
    type: bool,
    default: 'false',
    help: 'Restart a workload annotated `aws-secrets-csi/restart-on-rotation: "true"` when what it mounts has changed. Needs rotation.',
  },
  'restart-min-interval': {
    type: durationUpTo('24h'),
    default: '5m',
    help: 'Least time between two such restarts of one workload.',
  },
} as const satisfies FlagTable;
