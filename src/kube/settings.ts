/** How to reach the API server. */
export interface KubeSettings {
  /** Absent: the mounted service account, or else the default kubeconfig. */
  readonly kubeconfig?: string;
  /** Name of this node; absent: that of the node of a mounting pod. */
  readonly nodeName?: string;
  /** The provider's own pod; absent if it is not known. The uid may be empty. */
  readonly ownPod?: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** Time-out of a request in milliseconds. */
  readonly timeoutMs: number;
}
