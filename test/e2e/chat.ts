import { expect } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };
import type { Posted, TelegramDouble, Update } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

export type Language = 'vi' | 'en';
export type Key = keyof typeof vi & keyof typeof en;

const PLACEHOLDER = /\{\{.*?\}\}/;

/** Whether `text` is, or has a line, that `key` words in this language. */
export function says(text: string, key: Key, language: Language): boolean {
  return pattern(key, language).test(text);
}

function pattern(key: Key, language: Language): RegExp {
  const fixed = { vi, en }[language][key].split(PLACEHOLDER).map((part) => RegExp.escape(part));
  return new RegExp(`(^|\\n)${fixed.join('.+')}(\\n|$)`);
}

/** A customer's private chat with the bot: what they do there, and what they see, in the order it comes. */
export type Chat = {
  readonly id: number;
  /** What arrived and was not yet looked at, oldest first. */
  readonly unread: readonly string[];
  /** Each sends what Telegram would send, and resolves to it once it is stored: `send` it again, or elsewhere. */
  writes(text: string): Promise<Update>;
  /** Presses the newest button whose choice is `choice` or begins with `choice:`. */
  presses(choice: string): Promise<Update>;
  shares(phone: string): Promise<Update>;
  /** The same, not yet sent. */
  text(text: string): Update;
  /** A message with this in it: a photo, a part of an album. */
  message(content: object): Update;
  send(update: Update): Promise<void>;
  /**
   * The next message that the customer sees, which must say `key` and have a line for each of `lines`. Rejects, with
   * what was said instead, and when nothing comes for a while.
   */
  hears(key: Key, ...lines: Key[]): Promise<string>;
  /** Reads on until a message says one of `keys` and contains `part`. */
  hearsOneOf<One extends Key>(keys: readonly One[], part?: string): Promise<{ key: One; text: string }>;
};

/** Longer than any of the bot's own waits with these settings, on a busy machine too. */
const PATIENCE_MS = 60_000;

export function createChat(options: {
  readonly id: number;
  readonly language: Language;
  readonly double: Pick<TelegramDouble, 'shown'>;
  /** What the platform carried out comes here. */
  readonly unread: string[];
  post(update: Update): Promise<Posted>;
}): Chat {
  const { id, language, double, unread, post } = options;
  const heard: string[] = [];
  const person = createPerson(id, { first_name: 'Garnacho', last_name: '', language_code: language });

  async function send(update: Update): Promise<void> {
    const { status, body } = await post(update);
    if (status !== 200) throw new Error(`the webhook answered ${status}: ${body}`);
  }

  function button(choice: string): Update {
    for (const { buttons, message_id } of double.shown(id).reverse()) {
      const found = buttons.flat().find(({ callback_data: data }) => isChoice(data, choice));
      if (found) return person.presses(found.callback_data, message_id);
    }
    throw new Error(`there is no button for ${choice}`);
  }

  async function sent(update: Update): Promise<Update> {
    await send(update);
    return update;
  }

  async function next(awaited: string): Promise<string> {
    const message = `${id} waits for ${awaited}; it heard: ${heard.join(' | ')}`;
    await expect.poll(() => unread.length, { message, timeout: PATIENCE_MS }).toBeGreaterThan(0);
    const text = unread.shift() ?? '';
    heard.push(text);
    return text;
  }

  return {
    id,
    unread,
    writes: async (text) => sent(person.writes(text)),
    presses: async (choice) => sent(button(choice)),
    shares: async (phone) => sent(person.shares(phone)),
    text: (text) => person.writes(text),
    message: (content) => person.sends(content),
    send,
    async hears(key, ...lines) {
      const text = await next(key);
      const missing = [key, ...lines].filter((one) => !says(text, one, language));
      if (missing.length > 0) throw new Error(`not ${missing.join(', ')} but: ${text}`);
      return text;
    },
    async hearsOneOf(keys, part = '') {
      for (;;) {
        const text = await next(keys.join(', '));
        const key = keys.find((one) => says(text, one, language));
        if (key !== undefined && text.includes(part)) return { key, text };
      }
    },
  };
}

/** Buttons carry `<choice>~<view>`, and choices may have a part of their own: `confirm:<operation>`. */
const isChoice = (data: string, choice: string): boolean =>
  data.startsWith(`${choice}~`) || data.startsWith(`${choice}:`);

/** Garnacho's own, as Telegram shares it and as AntCRM keeps it. */
export const OWN_PHONE = '84867123456';
export const PHONE = '0867123456';

/** Up to the summary of a redemption: what comes next is a press on its confirm button. */
export async function choosesGift(chat: Chat): Promise<void> {
  await chat.writes('/redeem DAUMAY01');
  await chat.hears('identity.proofNeeded');
  await chat.shares(OWN_PHONE);
  await chat.hears('redeem.summary');
}

/** Up to the summary of an accumulation, with one message. */
export async function entersCode(chat: Chat, code: string): Promise<void> {
  await chat.writes(accumulation(code));
  await chat.hears('accumulate.summary');
}

/** Everything that an accumulation needs, in one message that is of no language. */
export const accumulation = (code: string, phone = '0912345678', email = 'minh@example.vn'): string =>
  `/accumulate ${code} ${phone} ${email}`;
