import { type FlagTable, bool, durationUpTo, text } from './flag-types.ts';

/** The node, the provider's own pod, and the API server. */
export const CLUSTER_FLAGS = {
  'node-name': { type: text('NAME'), help: 'Name of this node. Not set: read from the pod of the first mount.' },
  'pod-name': {
    type: text('NAME'),
    help: "Name of the provider's own pod, for Events on it. Not set: problems of the node are only logged.",
  },
  'pod-namespace': { type: text('NAME'), help: 'Namespace of that pod.' },
  'pod-uid': { type: text('UID'), help: 'Its uid, by which `kubectl describe` finds the Events.' },
  kubeconfig: { type: text('FILE'), help: "Kubeconfig of the API server. Not set: the pod's own service account." },
  'kube-timeout': {
    type: durationUpTo('1h'),
    default: '10s',
    help: 'Longest wait for one response of the API server.',
  },
  'token-request': {
    type: bool,
    default: 'false',
    help: "Request a pod's tokens from the API server when the driver sent none, or only expired ones.",
  },
} as const satisfies FlagTable;
