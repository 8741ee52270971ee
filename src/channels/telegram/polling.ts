import { z } from 'zod';
import type { Log } from '../../observe.ts';
import { backoffMs, pause } from '../watch.ts';
import { ALLOWED_UPDATES } from './address.ts';
import { answerOf, type BotApi } from './api.ts';
import type { Answer } from './client.ts';
import { type Patience, persist, waitOf } from './persist.ts';
import { parseUpdate, type Update } from './update.ts';

/** How long Telegram may hold an empty answer back, s. */
const POLL_S = 50;

/** On top of that for the answer to arrive, ms. */
const SLACK_MS = 10_000;

/** Stopping waits this long for Telegram to note what was taken, ms. */
const CONFIRM_MS = 2_000;

/** Of one answer; Telegram's maximum. */
const MAX_UPDATES = 100;

const updatesSchema = z.array(z.unknown());

/**
 * Fetches updates one after the other, until `patience.signal` is aborted; in place of the webhook, which is removed.
 * `onAnswer` is told of every answer. `receive` rejects where an update could not be stored: that update and all after it
 * are fetched again, none is lost.
 */
export async function poll(
  api: BotApi,
  receive: (update: Update) => Promise<unknown>,
  patience: Patience,
  log: Log,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const { signal, pauseMs } = patience;
  await persist((signal) => answerOf(api.within({ signal }).deleteWebhook()), patience);
  const polling = api.within({ signal, timeoutMs: POLL_S * 1000 + SLACK_MS });
  let offset = 0;
  for (let failures = 0; !signal.aborted; ) {
    const answer = await answerOf(polling.getUpdates(POLL_S, MAX_UPDATES, offset, ALLOWED_UPDATES));
    if (signal.aborted) break;
    onAnswer(answer);
    try {
      if (!answer.ok) throw new Error(answer.why);
      for (const update of updatesSchema.parse(answer.result).map(parseUpdate)) {
        if (!update) continue;
        await receive(update);
        offset = update.update_id + 1;
      }
      failures = 0;
    } catch (error) {
      log.warn(
        { why: error instanceof Error ? error.message : 'unknown' },
        'polling Telegram failed, trying again',
      );
      await pause(Math.max(waitOf(answer), backoffMs(failures++, pauseMs)), signal);
    }
  }
  // Otherwise Telegram would send the last ones again, and after a restart the embedded store does not know them any more.
  if (offset > 0) {
    await answerOf(api.within({ timeoutMs: CONFIRM_MS }).getUpdates(0, 1, offset, undefined));
  }
}
