/** How to reach AWS; applies to every client, including STS. */
export interface AwsSettings {
  /** Base URL per service; absent: AWS's regional endpoint. */
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
  /** Absent: no proxy. The names are those of the environment variables. */
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
  /** Attempts at a call, including the first. */
  readonly maxAttempts: number;
  /** Milliseconds to wait for a connection. */
  readonly connectTimeoutMs: number;
  /** Milliseconds to wait for an answer, once connected. */
  readonly requestTimeoutMs: number;
  /** Application id in the user agent, at most 50 characters. */
  readonly appId: string;
}
