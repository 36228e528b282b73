import { PAUSE_IMAGE } from './images.ts';
import { NODE_ADDRESS } from './network.ts';

/** TOML for containerd 2. */
export function containerdConfig(cniFolder: string): string {
  return `version = 3
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing"]

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${PAUSE_IMAGE}'

[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE, as in many sandboxes, no container could be given the score Kubernetes asks for.
restrict_oom_score_adj = true
disable_apparmor = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${cniFolder}'
`;
}

export interface KubeletSettings {
  readonly cgroup: string;
  readonly clientAuthority: string;
  readonly containerdSocket: string;
  readonly resolvConf: string;
}

/** JSON, which the kubelet reads as YAML. */
export function kubeletConfig(settings: KubeletSettings): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${settings.containerdSocket}`,
    authentication: { x509: { clientCAFile: settings.clientAuthority }, webhook: { enabled: true } },
    resolvConf: settings.resolvConf,
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: 'cluster.local',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${settings.cgroup}`,
    // The host may still have the old hierarchy.
    failCgroupV1: false,
    failSwapOn: false,
    // A full disk of the host is no reason to evict pods or to remove images that cannot be pulled again.
    evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    // The volumes are published again at each sync of a pod. The default, a minute, makes a scenario of rotation long.
    syncFrequency: '10s',
    // There is no iptables on the node; kube-proxy has its rules in nftables.
    makeIPTablesUtilChains: false,
    shutdownGracePeriod: '0s',
  });
}

export function kubeProxyConfig(kubeconfig: string, podRange: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode: 'nftables',
    clusterCIDR: podRange,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    // The size of the connection table belongs to the host and cannot be set from a network namespace.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  });
}
