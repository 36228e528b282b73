import { indexChangeEvents } from '../aws/change-events/match-event.ts';
import { receiveEvents } from '../aws/change-events/receive.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeProvider } from './node.ts';

/** Polls at once what a queue says has changed; without a queue the poll interval does all. */
export function receiveChangeEvents(
  { rotation, aws }: Pick<Config, 'rotation' | 'aws'>,
  node: Pick<NodeProvider, 'notice'>,
  log: Logger,
): AsyncDisposable | undefined {
  if (rotation.queueUrl === undefined) {
    return undefined;
  }
  return receiveEvents({
    queueUrl: rotation.queueUrl,
    settings: aws,
    onEvents(notices) {
      log.info({ notices: notices.length }, 'changes noticed');
      node.notice(indexChangeEvents(notices));
    },
    onTrouble: ({ reason, message }) =>
      log.error({ reason, error: message }, 'queue of notices not read: changes are found by polling'),
    onRecovery: () => log.info('queue of notices read again'),
  });
}
