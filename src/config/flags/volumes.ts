import { type FlagTable, absolutePath, bool, integer, socketName } from './flag-types.ts';

/** The socket for the driver, and the volumes that are written. */
export const VOLUME_FLAGS = {
  'provider-volume': {
    type: absolutePath,
    default: '/var/run/secrets-store-csi-providers',
    help: 'Directory in which the driver expects provider sockets; created if missing.',
  },
  'socket-name': {
    type: socketName,
    default: 'aws',
    help: 'The socket is `<provider-volume>/<NAME>.sock`; classes choose it by `provider: <NAME>`.',
  },
  'driver-writes-secrets': {
    type: bool,
    default: 'false',
    help: 'Return the files to the driver, which writes them, instead of writing them into the volume.',
  },
  'kubelet-dir': {
    type: absolutePath,
    default: '/var/lib/kubelet',
    help: "The kubelet's `--root-dir`: only volumes of pods below it are written.",
  },
  'require-mounted-volumes': {
    type: bool,
    default: 'true',
    help: 'Write only into volumes that are mount points. Disable it only in tests: secrets would be written to the disk of the node.',
  },
  'max-volume-bytes': {
    type: integer('BYTES'),
    default: '8388608',
    help: "Memory that the files of one pod's volume may take, in whole pages of 4,096 bytes.",
  },
  'max-node-bytes': {
    type: integer('BYTES'),
    default: '67108864',
    help: "Memory that all volumes of the node may take, a quarter of it for one namespace: the kernel charges it to the provider's container. At least four times `max-volume-bytes`.",
  },
} as const satisfies FlagTable;
