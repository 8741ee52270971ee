import { z } from 'zod';
import type { Log } from '../../observability/log.ts';
import { pause } from '../watch.ts';
import { ALLOWED_UPDATES } from './address.ts';
import { isRefused } from './check.ts';
import type { Answer, Client } from './client.ts';
import { parseUpdate, type Update } from './incoming.ts';

/** How long Telegram may hold an empty answer back, s. */
const POLL_S = 50;
/** On top of that for the answer to arrive, ms. */
const SLACK_MS = 10_000;
/** Stopping waits this long for Telegram to note what was taken, ms. */
const CONFIRM_MS = 2_000;
/** Of one answer; Telegram's maximum. */
const MAX_UPDATES = 100;

export type Patience = {
  /** Ends the polling. */
  readonly signal: AbortSignal;
  /** The first pause after a failure, ms; each further one is twice as long, up to a minute. */
  readonly pauseMs: number;
};
const MAX_PAUSE_MS = 60_000;

const updatesSchema = z.array(z.unknown());

/**
 * Fetches updates one after the other, until `patience.signal` is aborted; in place of the webhook, which is removed.
 * `onAnswer` is told of every answer to that. `receive` rejects where an update could not be stored: it and all after it are
 * fetched again.
 */
export async function poll(
  client: Pick<Client, 'call'>,
  receive: (update: Update) => Promise<unknown>,
  patience: Patience,
  log: Log,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const { signal, pauseMs } = patience;
  const wanted = { timeout: POLL_S, limit: MAX_UPDATES, allowed_updates: ALLOWED_UPDATES };
  const bounds = { signal, timeoutMs: POLL_S * 1000 + SLACK_MS };
  let offset = 0;
  let isOurs = false;
  for (let failures = 0; !signal.aborted; ) {
    const answer = isOurs
      ? await client.call('getUpdates', { ...wanted, offset }, bounds)
      : await client.call('deleteWebhook', {}, { signal });
    if (signal.aborted) break;
    if (isOurs) onAnswer(answer);
    try {
      if (!answer.ok) throw new Error(answer.why);
      for (const update of isOurs ? updatesSchema.parse(answer.result).map(parseUpdate) : []) {
        if (!update) continue;
        await receive(update);
        offset = update.update_id + 1;
      }
      failures = 0;
      isOurs = true;
    } catch (error) {
      // A webhook that Telegram does not let us remove may be none: `getUpdates` knows.
      isOurs ||= isRefused(answer);
      const why = error instanceof Error ? error.message : 'unknown';
      log.warn({ why }, 'polling Telegram failed, trying again');
      // With jitter, so that many callers do not come back at once; never before Telegram's `retry_after`.
      const backoffMs = Math.min(pauseMs * 2 ** failures++, MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
      const wantedMs = 'afterMs' in answer ? (answer.afterMs ?? 0) : 0;
      await pause(Math.max(wantedMs, backoffMs), signal);
    }
  }
  // Otherwise Telegram would send the last ones again, and after a restart the embedded store does not know them any more.
  if (offset === 0) return;
  await client.call('getUpdates', { timeout: 0, limit: 1, offset }, { timeoutMs: CONFIRM_MS });
}
