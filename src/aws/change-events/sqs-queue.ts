import { ReceiveMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

interface QueueMessage {
  readonly id: string;
  readonly body: string;
}

export interface Queue extends Disposable {
  /** Waits for up to ten messages, and leaves them in the queue, which other nodes read too. @throws Error of the SDK */
  receive(signal: AbortSignal): Promise<readonly QueueMessage[]>;
}

export interface QueueOptions {
  readonly queueUrl: string;
  /** Longest wait for a message, in seconds. */
  readonly waitSeconds: number;
  readonly config: SQSClientConfig;
  /** For the clients that obtain the provider's own credentials. */
  readonly credentialsConfig: SQSClientConfig;
}

/** Opens a queue with the provider's own credentials: those of its service account's role, or any others that the SDK finds. */
export function openQueue({ queueUrl, waitSeconds, config, credentialsConfig }: QueueOptions): Queue {
  const client = new SQSClient({
    ...config,
    credentials: fromNodeProviderChain({ clientConfig: credentialsConfig }),
    // Otherwise the host of the queue's URL would take precedence over a FIPS endpoint.
    useQueueUrlAsEndpoint: false,
  });
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: waitSeconds,
    VisibilityTimeout: 0,
  });
  return {
    async receive(signal) {
      const { Messages = [] } = await client.send(command, { abortSignal: signal });
      return Messages.map(({ MessageId: id = '', Body: body = '' }) => ({ id, body }));
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}
