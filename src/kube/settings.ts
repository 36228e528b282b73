/** How to reach the API server. */
export interface KubeSettings {
  /** Absent: in-cluster where the pod's service account is mounted, else the default kubeconfig. */
  readonly kubeconfig?: string;
  /** This node's name; absent means: ask for the pod's node. */
  readonly nodeName?: string;
  /** The provider's own pod; absent where it is not known. Without its uid the uid is empty. */
  readonly ownPod?: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** Milliseconds for one request. */
  readonly timeoutMs: number;
}
