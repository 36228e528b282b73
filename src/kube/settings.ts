/** How to reach the API server. */
export interface KubeSettings {
  /** Absent: in-cluster where the pod's service account is mounted, else the default kubeconfig. */
  readonly kubeconfig?: string;
  /** This node's name; absent means: ask for the pod's node. */
  readonly nodeName?: string;
  /** Milliseconds for one request. */
  readonly timeoutMs: number;
}
