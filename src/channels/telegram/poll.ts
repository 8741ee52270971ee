import { z } from 'zod';
import type { Log } from '../../observability/log.ts';
import { pause } from '../watch.ts';
import { ApiError, type TelegramApi } from './api.ts';
import { isRefused } from './check.ts';
import { ALLOWED_UPDATES, parseUpdate, type Update } from './update.ts';

/** How long Telegram may hold an empty answer back, s; the call may take ten more. */
const POLL_S = 50;
/** Of one answer; Telegram's maximum. */
const MAX_UPDATES = 100;
const MAX_PAUSE_MS = 60_000;

export type PollerOptions = {
  readonly api: Pick<TelegramApi, 'callApi'>;
  /** Rejects where an update could not be stored: it and all after it are fetched again. */
  receive(update: Update): Promise<unknown>;
  /** The first pause after a failure, ms; each further one is twice as long, up to a minute. */
  readonly pauseMs: number;
  readonly log: Log;
};

/** Fetches updates one after the other, in place of the webhook, which it removes. */
export class Poller {
  /** Why Telegram refused the last poll; undefined where it did not. */
  fault: string | undefined;
  readonly #options: PollerOptions;
  /** The first update that Telegram should send; 0: it has sent none. */
  #offset = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Polls until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { api, log, pauseMs } = this.#options;
    let isRemoved = false;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!isRemoved) await api.callApi('deleteWebhook', {}, { signal });
        isRemoved = true;
        await this.#poll(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        const refusal = error instanceof ApiError && isRefused(error) ? error.message : undefined;
        if (isRemoved) this.fault = refusal;
        // A webhook that Telegram does not let us remove may be none: `getUpdates` knows.
        isRemoved ||= refusal !== undefined;
        log.warn(
          { why: error instanceof Error ? error.message : 'unknown' },
          'polling Telegram failed, trying again',
        );
        // With jitter, so that many callers do not come back at once.
        const backoffMs = Math.min(pauseMs * 2 ** failures++, MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
        await pause(Math.max(afterMsOf(error), backoffMs), signal);
      }
    }
    await this.#confirm().catch(() => {});
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { api, receive } = this.#options;
    const wanted = { timeout: POLL_S, limit: MAX_UPDATES, allowed_updates: ALLOWED_UPDATES };
    const sent: unknown = await api.callApi('getUpdates', { ...wanted, offset: this.#offset }, { signal });
    this.fault = undefined;
    for (const update of z.array(z.unknown()).parse(sent).map(parseUpdate)) {
      if (!update) continue;
      await receive(update);
      this.#offset = update.update_id + 1;
    }
  }

  /** Otherwise Telegram would send the last updates again, which the embedded store forgets with a restart. */
  async #confirm(): Promise<void> {
    if (this.#offset === 0) return;
    const confirmed = { timeout: 0, limit: 1, offset: this.#offset };
    await this.#options.api.callApi('getUpdates', confirmed, { signal: AbortSignal.timeout(CONFIRM_MS) });
  }
}

/** Stopping waits this long for Telegram to note what was taken, ms. */
const CONFIRM_MS = 2_000;

/** How long Telegram wants us to wait, ms. */
function afterMsOf(error: unknown): number {
  return error instanceof ApiError && 'afterMs' in error.meaning ? (error.meaning.afterMs ?? 0) : 0;
}
