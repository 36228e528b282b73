import { type FlagTable, address, durationUpTo, integer, oneOf, text } from './flag-types.ts';

/** The process itself: its deadlines, health endpoint and log. */
export const PROCESS_FLAGS = {
  'mount-timeout': {
    type: durationUpTo('1h'),
    default: '60s',
    help: 'Longest time for one Mount call. The kubelet gives up after two minutes.',
  },
  'drain-timeout': {
    type: durationUpTo('1h'),
    default: '20s',
    help: 'Longest time for mounts in progress to finish when the process stops.',
  },
  'health-address': {
    type: address,
    default: '127.0.0.1:8989',
    help: 'Where `/livez` and `/readyz` are served; port 0 lets the system choose.',
  },
  'log-level': {
    type: oneOf('LEVEL', 'debug', 'info', 'warn', 'error'),
    default: 'info',
    help: '`debug`, `info`, `warn` or `error`.',
  },
  'log-format': {
    type: oneOf('FORMAT', 'json', 'text'),
    default: 'json',
    help: '`json`, or `text` for reading at a terminal.',
  },
  'eks-addon-version': {
    type: text('VERSION'),
    help: "Version named to AWS in the user agent instead of the package's.",
  },
  qps: {
    type: integer('N'),
    help: "Accepted for compatibility with AWS's provider, and ignored: lookups are shared and need no throttle.",
  },
  burst: { type: integer('N'), help: 'As `qps`.' },
} as const satisfies FlagTable;
