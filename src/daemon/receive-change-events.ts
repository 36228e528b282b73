import { indexChangeEvents } from '../aws/change-events/match-event.ts';
import { receiveEvents } from '../aws/change-events/receive.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeProvider } from './node.ts';

/** Polls what a queue reports as changed at once. Without a queue, changes are found once per poll interval. */
export function receiveChangeEvents(
  { rotation, aws }: Pick<Config, 'rotation' | 'aws'>,
  node: Pick<NodeProvider, 'onChangeEvents'>,
  log: Logger,
): AsyncDisposable | undefined {
  if (rotation.queueUrl === undefined) {
    return undefined;
  }
  return receiveEvents({
    queueUrl: rotation.queueUrl,
    settings: aws,
    onEvents(events) {
      log.info({ events: events.length }, 'change events received');
      node.onChangeEvents(indexChangeEvents(events));
    },
    onTrouble: ({ reason, message }) =>
      log.error({ reason, error: message }, 'change queue is not readable: changes are found by polling'),
    onRecovery: () => log.info('change queue is readable again'),
  });
}
