import type { Notice } from './conversation/outline.ts';
import type { Observe } from './observability/metrics.ts';

/** What `HANDOVER_WEBHOOK` gets when a ticket opens: nothing personal. */
export type OpenedTicket = {
  readonly ticket: string;
  readonly channel: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly openedAt: string;
};

/** Tells operators what turns brought about: as alarms, metrics, lines of the log, and by the hook for opened tickets. */
export function createNotices(
  { alarm, log, misunderstood, question }: Pick<Observe, 'alarm' | 'log' | 'misunderstood' | 'question'>,
  onOpened?: (opened: OpenedTicket, conversation: string) => void,
) {
  return (notice: Notice, about: { readonly conversation: string; readonly channel: string }): void => {
    const { conversation, channel } = about;
    switch (notice.kind) {
      case 'escalated':
        alarm('operation_escalated', { conversation, operation: notice.operation });
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
        const openedAt = new Date(openedMs).toISOString();
        onOpened?.({ ticket, channel, reason, openedAt }, conversation);
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
}
