/** How to reach AWS; holds for every client, STS included. */
export interface AwsSettings {
  /** Base URL per service; absent means AWS's own regional endpoint. */
  readonly endpoints: {
    readonly sts?: string;
    readonly secretsManager?: string;
    readonly ssm?: string;
    readonly sqs?: string;
  };
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  /** PEM text of the certificate authorities to trust instead of Node's own. */
  readonly caBundle?: string;
  /** Absent parts mean: no proxy. Names are those of the environment variables that fill them. */
  readonly proxy: {
    readonly HTTP_PROXY?: string;
    readonly HTTPS_PROXY?: string;
    readonly NO_PROXY?: string;
  };
  readonly podIdentity: {
    /** Base URLs of the agent, e.g. `http://169.254.170.23`. */
    readonly ipv4: string;
    readonly ipv6: string;
    /** Milliseconds for one request to the agent. */
    readonly timeoutMs: number;
  };
  /** Attempts at a call, the first included. */
  readonly maxAttempts: number;
  /** Milliseconds to wait for a connection. */
  readonly connectTimeoutMs: number;
  /** Milliseconds to wait for an answer, once connected. */
  readonly requestTimeoutMs: number;
  /** Put into the user agent as the application id, at most 50 characters. */
  readonly appId: string;
}
