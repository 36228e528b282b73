import { ReceiveMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

export interface QueueMessage {
  readonly id: string;
  readonly body: string;
}

export interface Queue extends Disposable {
  /** Up to ten messages, as soon as there are any. They stay: others read the same queue. @throws Error of the SDK */
  receive(signal: AbortSignal): Promise<readonly QueueMessage[]>;
}

export interface QueueOptions {
  readonly queueUrl: string;
  /** Longest wait for a message. */
  readonly waitSeconds: number;
  readonly config: SQSClientConfig;
  /** For the clients by which the provider's own credentials are got. */
  readonly credentialsConfig: SQSClientConfig;
}

/** A queue, read as the provider itself: as the role of its own service account, or whatever else the SDK finds. */
export function openQueue({ queueUrl, waitSeconds, config, credentialsConfig }: QueueOptions): Queue {
  const client = new SQSClient({
    ...config,
    credentials: fromNodeProviderChain({ clientConfig: credentialsConfig }),
    // Else the address in the queue's URL would win over a FIPS endpoint.
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
