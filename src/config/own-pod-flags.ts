import { anyText } from './values.ts';

/** Which pod the provider itself is; the chart says so by environment variables. */
export const OWN_POD_FLAGS = {
  'pod-name': {
    env: 'POD_NAME',
    value: 'NAME',
    help: "Name of the provider's own pod, for Events on it. Not set: problems of the node are only logged.",
    parse: anyText,
  },
  'pod-namespace': {
    env: 'POD_NAMESPACE',
    value: 'NAME',
    help: 'Namespace of that pod.',
    parse: anyText,
  },
  'pod-uid': {
    env: 'POD_UID',
    value: 'UID',
    help: 'Its uid, by which `kubectl describe` finds the Events.',
    parse: anyText,
  },
} as const;
