/** A Go module of this folder and what is built from it. */
export interface GoModule {
  /** Folder beside this file, with its go.mod and go.sum. */
  readonly name: string;
  /** Package by the name of the program built from it. */
  readonly packages: Readonly<Record<string, string>>;
  /** Names under which the one program of the module is called; it looks at its argv[0]. */
  readonly calledAs?: readonly string[];
  readonly tags?: string;
  readonly ldflags?: string;
  /** A module whose files the run needs too, by the folder of it to copy. */
  readonly copy?: { readonly module: string; readonly folder: string };
  /** What a first build takes on two cores, for the progress line. */
  readonly coldMinutes: number;
}

const KUBERNETES_VERSION = 'v1.37.2';

/** Kubernetes reads its own version from variables that its release scripts set; clients and charts look at it. */
const KUBERNETES_LDFLAGS = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
  .flatMap((where) => [
    `-X ${where}.gitVersion=${KUBERNETES_VERSION}`,
    `-X ${where}.gitMajor=1`,
    `-X ${where}.gitMinor=37`,
  ])
  .join(' ');

/** Shortest first: a mistake shows soon. */
export const GO_MODULES: readonly GoModule[] = [
  { name: 'pause', packages: { pause: '.' }, coldMinutes: 0.3 },
  { name: 'etcd', packages: { etcd: 'go.etcd.io/etcd/server/v3' }, coldMinutes: 1 },
  {
    name: 'containerd',
    packages: {
      containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
      'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
      ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
    },
    tags: 'no_btrfs,no_zfs,no_devmapper',
    coldMinutes: 1.5,
  },
  {
    name: 'csi-driver',
    packages: { 'secrets-store-csi-driver': 'sigs.k8s.io/secrets-store-csi-driver/cmd/secrets-store-csi-driver' },
    copy: { module: 'sigs.k8s.io/secrets-store-csi-driver', folder: 'deploy' },
    coldMinutes: 2,
  },
  { name: 'helm', packages: { helm: 'helm.sh/helm/v4/cmd/helm' }, coldMinutes: 2 },
  {
    name: 'kubernetes',
    packages: { kubernetes: '.' },
    calledAs: ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubectl', 'kubelet'],
    ldflags: KUBERNETES_LDFLAGS,
    coldMinutes: 10,
  },
];
