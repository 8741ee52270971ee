import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Key, says } from '../e2e/wording.ts';
import type { Told } from './checker.ts';
import type { Posted, TelegramDouble, Update } from './telegram-double.ts';
import { createPerson } from './telegram-updates.ts';

/** A message that arrived: what it says first, the data of its buttons, and when, on the clock of `performance.now()`. */
export type Heard = Told & {
  readonly key: Key | undefined;
  readonly data: readonly string[];
  readonly atMs: number;
};

/** A customer whom faults do not discourage: Telegram sends each update again until it is taken. */
export type Customer = {
  readonly id: number;
  /** `0…`, as AntCRM has it. */
  readonly phone: string;
  /** All that arrived, in order. */
  readonly heard: readonly Heard[];
  /** Each resolves once the update is acknowledged. */
  writes(text: string): Promise<Update>;
  presses(data: string): Promise<Update>;
  shares(): Promise<Update>;
  /** The same update again, as Telegram does where it did not hear the answer. */
  sendsAgain(update: Update): Promise<void>;
  /** The next message from `from` (a length of `heard`) on that fits. Rejects after a long while, saying what came instead. */
  hears(fits: (message: Heard) => boolean, from?: number): Promise<Heard>;
  arrived(message: Heard): void;
};

const PATIENCE_MS = 60_000;

/** What a message can say first, as far as these tests care. */
const KEYS: readonly Key[] = [
  ...(['accumulate.summary', 'accumulate.done', 'accumulate.refused'] as const),
  ...(['redeem.summary', 'redeem.done', 'redeem.refused', 'identity.proofNeeded'] as const),
  ...(['operation.checking_accumulate', 'operation.checking_redeem', 'operation.resolved.done'] as const),
  ...(['operation.resolved.notApplied', 'operation.resolved.notApplied_refused'] as const),
  ...([
    'operation.escalated',
    'operation.busy',
    'operation.busy_reference',
    'operation.status_done',
  ] as const),
  ...(['service.unavailable', 'abuse.flood', 'turn.failed', 'choice.expired', 'flow.switched'] as const),
  ...(['privacy.consent', 'points.balance', 'points.rank', 'history.page_point'] as const),
  ...(['help', 'menu'] as const),
];

const markupSchema = z.object({
  inline_keyboard: z.array(z.array(z.object({ callback_data: z.string() }))),
});

/** What a `sendMessage` showed its chat. */
export function heardOf(payload: Readonly<Record<string, unknown>>): Heard {
  const text = String(payload.text);
  const rows = markupSchema.safeParse(payload.reply_markup).data?.inline_keyboard ?? [];
  const data = rows.flat().map((button) => button.callback_data);
  const key = KEYS.find((one) => says(text, one, 'en'));
  return { text, buttons: data.join(), data, key, atMs: performance.now() };
}

export function createCustomer(options: {
  readonly id: number;
  readonly phone: string;
  readonly double: Pick<TelegramDouble, 'post'>;
  /** Where the webhook is now; asked anew for each attempt. */
  webhook(): { readonly url: string; readonly secret: string } | undefined;
}): Customer {
  const { id, phone, double, webhook } = options;
  const person = createPerson(id, { first_name: 'Garnacho', last_name: '', language_code: 'en' });
  const heard: Heard[] = [];
  const news = new EventTarget();

  async function acknowledged(update: Update): Promise<Update> {
    for (;;) {
      const target = webhook();
      const posted = target && (await double.post(update, target).catch((): Posted | null => null));
      if (posted?.status === 200) return update;
      if (posted && posted.status !== 503)
        throw new Error(`the webhook answered ${posted.status}: ${posted.body}`);
      await delay(50);
    }
  }

  return {
    id,
    phone,
    heard,
    writes: (text) => acknowledged(person.writes(text)),
    // Which message had the button matters only for editing it.
    presses: (data) => acknowledged(person.presses(data, 1)),
    shares: () => acknowledged(person.shares(`84${phone.slice(1)}`)),
    sendsAgain: async (update) => void (await acknowledged(update)),
    async hears(fits, from = 0) {
      const late = AbortSignal.timeout(PATIENCE_MS);
      for (let at = from; ; at++) {
        while (at >= heard.length) {
          await once(news, 'news', { signal: late }).catch(() => {
            throw new Silence(heard.slice(from));
          });
        }
        const message = heard[at];
        if (message && fits(message)) return message;
      }
    },
    arrived(message) {
      heard.push(message);
      news.dispatchEvent(new Event('news'));
    },
  };
}

/** The bot did not say what was waited for. */
class Silence extends Error {
  override readonly name = 'Silence';
  constructor(instead: readonly Heard[]) {
    super(`heard only: ${instead.map(({ key, text }) => key ?? text).join(' | ')}`);
  }
}
