import type { WorkerTools } from './engine/worker.ts';
import { createHook } from './http/transport.ts';
import type { Observe } from './observability/metrics.ts';

/** Tells operators what happened in turns. `HANDOVER_WEBHOOK` gets opened tickets, nothing personal. */
export function createNotices(
  { alarm, log, misunderstood, question }: Pick<Observe, 'alarm' | 'log' | 'misunderstood' | 'question'>,
  hookUrl?: string,
) {
  const onFailed = (): void => log.warn({}, 'HANDOVER_WEBHOOK did not answer');
  const hook = hookUrl === undefined ? undefined : createHook(hookUrl, onFailed);

  const onNotice: WorkerTools['onNotice'] = (notice, { conversation, channel }) => {
    switch (notice.kind) {
      case 'escalated':
        alarm('operation_escalated', { conversation, operation: notice.operation });
        return;
      case 'lateRecord':
        alarm('late_record', { conversation, operation: notice.operation });
        return;
      case 'late':
        alarm('person_waits', { conversation });
        return;
      case 'question':
        question(notice.answer);
        return;
      case 'misunderstood':
        misunderstood();
        return;
      case 'opened': {
        const { id: ticket, reason, openedMs } = notice.ticket;
        hook?.tell(conversation, { ticket, channel, reason, openedAt: new Date(openedMs).toISOString() });
        return;
      }
      case 'resolved': {
        const { operation, was, now: outcome } = notice;
        const isWithStaff = outcome === 'escalated';
        const message = isWithStaff ? 'an unknown outcome is with staff' : 'an unknown outcome was resolved';
        log.info({ conversation, operation, was, outcome }, message);
      }
    }
  };

  return { onNotice, close: async () => hook?.close() };
}
