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
  const fixed = { vi, en }[language][key].split(PLACEHOLDER).map((part) => RegExp.escape(part));
  return new RegExp(`(^|\\n)${fixed.join('.+')}(\\n|$)`).test(text);
}

export type Chat = ReturnType<typeof createChat>;

/** Longer than any of the bot's own waits with these settings, on a busy machine too. */
const PATIENCE_MS = 60_000;

/**
 * A customer's private chat with the bot. Each act sends what Telegram would send, and resolves once it is stored.
 */
export function createChat(options: {
  readonly id: number;
  readonly language: Language;
  readonly double: Pick<TelegramDouble, 'shown'>;
  /** What the platform carried out comes here. */
  readonly unread: string[];
  post(update: Update): Promise<Posted>;
}) {
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

  async function next(awaited: string): Promise<string> {
    const message = `${id} waits for ${awaited}; it heard: ${heard.join(' | ')}`;
    await expect.poll(() => unread.length, { message, timeout: PATIENCE_MS }).toBeGreaterThan(0);
    const text = unread.shift() ?? '';
    heard.push(text);
    return text;
  }

  return {
    /** What arrived and was not yet looked at, oldest first. */
    unread: unread as readonly string[],
    writes: async (text: string) => send(person.writes(text)),
    /** Presses the newest button whose choice is `choice` or begins with `choice:`. */
    presses: async (choice: string) => send(button(choice)),
    shares: async (phone: string) => send(person.shares(phone)),
    /** An update that is not yet sent. */
    message: (content: object) => person.sends(content),
    /** The next message that the customer sees, which must say `key` and have a line for each of `lines`. */
    async hears(key: Key, ...lines: Key[]): Promise<string> {
      const text = await next(key);
      const missing = [key, ...lines].filter((one) => !says(text, one, language));
      if (missing.length > 0) throw new Error(`not ${missing.join(', ')} but: ${text}`);
      return text;
    },
    /** Reads on until a message says one of `keys` and contains `part`. */
    async hearsOneOf<One extends Key>(keys: readonly One[], part = ''): Promise<{ key: One; text: string }> {
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
