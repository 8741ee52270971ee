import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Key, says } from '../e2e/wording.ts';
import type { Told } from './checker.ts';
import type { Held } from './held.ts';
import type { Posted, TelegramDouble } from './telegram-double.ts';
import { createPerson } from './telegram-updates.ts';

/** A message that arrived: what it says first, the data of its buttons, and when, on the clock of `performance.now()`. */
export type Heard = Told & {
  readonly key: Key | undefined;
  readonly data: readonly string[];
  readonly atMs: number;
  /** It came in the place of an earlier message. */
  readonly isEdit: boolean;
};

/** A customer whom faults do not discourage: the platform sends each message again until it is taken. */
export type Customer = {
  readonly id: number;
  /** `0…`, as AntCRM has it. */
  readonly phone: string;
  readonly email: string;
  /** The phone or the e-mail that their channel proves. */
  readonly who: string;
  /** All that arrived, in order. */
  readonly heard: readonly Heard[];
  /** Each resolves once the message is acknowledged. */
  writes(text: string): Promise<Sent>;
  presses(data: string): Promise<Sent>;
  shares(): Promise<Sent>;
  /** The same message again, as a platform does where it did not hear the answer. */
  sendsAgain(sent: Sent): Promise<void>;
  /** The next message from `from` (a length of `heard`) on that fits. Rejects after a long while, saying what came instead. */
  hears(fits: (message: Heard) => boolean, from?: number): Promise<Heard>;
  /** Holds the next message to them that fits, before it arrives. */
  holds(fits: (message: Heard) => boolean): Held;
  arrived(message: Heard): void;
};

/** A message of a customer: hands it to this bot, as often as it is called. */
export type Sent = (bot: { readonly url: string }) => Promise<Posted>;

/** How a customer speaks on a platform. */
export type Speech = {
  writes(text: string): Sent;
  presses(data: string): Sent;
  shares(phone: string): Sent;
  holds: Customer['holds'];
};

const PATIENCE_MS = 90_000;

/** What a message can say first, as far as these tests care. */
const KEYS: readonly Key[] = [
  ...(['accumulate.summary', 'accumulate.done', 'accumulate.refused_code'] as const),
  ...(['accumulate.done_several', 'accumulate.partly', 'accumulate.refused_several'] as const),
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
  ...(['history.empty_point', 'identity.unread'] as const),
  ...(['help', 'menu'] as const),
];

const markupSchema = z.object({
  inline_keyboard: z.array(z.array(z.object({ callback_data: z.string() }))),
});

/** What a `sendMessage` showed its chat. */
export function heardOf(payload: Readonly<Record<string, unknown>>): Heard {
  const rows = markupSchema.safeParse(payload.reply_markup).data?.inline_keyboard ?? [];
  return hearing(
    String(payload.text),
    rows.flat().map((button) => button.callback_data),
  );
}

/** A message that arrives now, with these words and the data of these buttons. */
export function hearing(text: string, data: readonly string[], isEdit = false): Heard {
  const key = KEYS.find((one) => says(text, one, 'en'));
  return { text, buttons: data.join(), data, key, atMs: performance.now(), isEdit };
}

/** On Telegram, where a shared contact proves the phone. */
export function speechOnTelegram(
  double: Pick<TelegramDouble, 'post' | 'holds'>,
  id: number,
  secret: string,
): Speech {
  const person = createPerson(id, { first_name: 'Garnacho', last_name: '', language_code: 'en' });
  const sent =
    (update: Parameters<TelegramDouble['post']>[0]): Sent =>
    ({ url }) =>
      double.post(update, { url: `${url}/webhooks/telegram`, secret });
  return {
    writes: (text) => sent(person.writes(text)),
    // Which message had the button matters only for editing it.
    presses: (data) => sent(person.presses(data, 1)),
    shares: (phone) => sent(person.shares(phone)),
    holds: (fits) =>
      double.holds.hold(
        ({ method, payload }) => method === 'sendMessage' && payload.chat_id === id && fits(heardOf(payload)),
      ),
  };
}

export function createCustomer(options: {
  readonly id: number;
  readonly phone: string;
  readonly email: string;
  readonly who: string;
  readonly speech: Speech;
  /** Where their messages go now; asked anew for each attempt. */
  where(): { readonly url: string } | undefined;
}): Customer {
  const { id, phone, email, who, speech, where } = options;
  const heard: Heard[] = [];
  const news = new EventTarget();

  async function acknowledged(sent: Sent): Promise<Sent> {
    for (;;) {
      const bot = where();
      const posted = bot && (await sent(bot).catch((): Posted | null => null));
      if (posted?.status === 200) return sent;
      if (posted && posted.status !== 503)
        throw new Error(`the webhook answered ${posted.status}: ${posted.body}`);
      await delay(50);
    }
  }

  return {
    id,
    phone,
    email,
    who,
    heard,
    writes: (text) => acknowledged(speech.writes(text)),
    presses: (data) => acknowledged(speech.presses(data)),
    shares: () => acknowledged(speech.shares(`84${phone.slice(1)}`)),
    sendsAgain: async (sent) => void (await acknowledged(sent)),
    holds: speech.holds,
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
