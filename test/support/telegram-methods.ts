import { z } from 'zod';

/** What a method answers: a result, or an error as the Bot API words it. */
export type MethodAnswer =
  | { readonly result: unknown }
  | { readonly code: number; readonly description: string };

/** A message as the customer sees it now, edits applied. */
export type ShownMessage = {
  readonly message_id: number;
  readonly chat: number;
  /** Of a picture, its caption. */
  readonly text: string;
  readonly photo?: string;
  readonly buttons: readonly (readonly z.infer<typeof buttonSchema>[])[];
};

const textButtonSchema = z.object({
  text: z.string().min(1),
});
const buttonSchema = z.union([
  textButtonSchema.extend({
    callback_data: z.string().refine((data) => Buffer.byteLength(data) >= 1 && Buffer.byteLength(data) <= 64),
  }),
  // A press on it never reaches the bot.
  textButtonSchema.extend({ url: z.url(), callback_data: z.literal('').default('') }),
]);
const inlineSchema = z.object({ inline_keyboard: z.array(z.array(buttonSchema)) });
const keySchema = z.object({ text: z.string().min(1), request_contact: z.boolean().optional() });
const keyboardSchema = z.strictObject({
  keyboard: z.array(z.array(keySchema)).min(1),
  resize_keyboard: z.boolean().optional(),
  one_time_keyboard: z.boolean().optional(),
});
const removeSchema = z.strictObject({ remove_keyboard: z.literal(true) });

const textSchema = z.string().min(1).max(4096);
const sendSchema = z.object({
  chat_id: z.int(),
  text: textSchema,
  parse_mode: z.never().optional(),
  reply_markup: z.union([inlineSchema, keyboardSchema, removeSchema]).optional(),
});
const photoSchema = sendSchema.omit({ text: true }).extend({
  photo: z.url({ protocol: /^https$/ }),
  caption: z.string().max(1024).optional(),
});
const editSchema = z.object({
  chat_id: z.int(),
  message_id: z.int(),
  text: textSchema.optional(),
  parse_mode: z.never().optional(),
  reply_markup: inlineSchema.optional(),
});
const answerSchema = z.object({
  callback_query_id: z.string(),
  text: z.string().max(200).optional(),
});

const describedSchema = z.object({
  language_code: z.string().default(''),
  commands: z.unknown().default([]),
  description: z.string().default(''),
  short_description: z.string().default(''),
});

const refused = (description: string): MethodAnswer => ({
  code: 400,
  description: `Bad Request: ${description}`,
});
const unreadable = refused('the double cannot read the payload');

/** What Telegram's servers keep of a bot's chats, as far as the bot's calls can tell. */
export function createChats() {
  const messages = new Map<string, ShownMessage>();
  const keyboards = new Map<number, string[][]>();
  const answered = new Set<string>();
  const described = new Map<string, unknown>();
  let lastId = 100;

  /** Sets or gets one of the bot's descriptions in a language. */
  function describe(method: string, payload: unknown): MethodAnswer {
    const { language_code, commands, description, short_description } = describedSchema.parse(payload);
    const what = method.slice('setMy'.length);
    const given =
      what === 'Commands' ? commands : what === 'Description' ? { description } : { short_description };
    const name = `${what} ${language_code}`;
    if (method.startsWith('get')) return { result: described.get(name) ?? given };
    described.set(name, given);
    return { result: true };
  }

  function sendPhoto(payload: unknown): MethodAnswer {
    const read = photoSchema.safeParse(payload);
    if (!read.success) return unreadable;
    const { photo, caption = '', ...message } = read.data;
    return show({ ...message, text: caption }, photo);
  }

  function send(payload: unknown): MethodAnswer {
    const read = sendSchema.safeParse(payload);
    return read.success ? show(read.data) : unreadable;
  }

  function show(
    { chat_id: chat, text, reply_markup: markup }: z.infer<typeof sendSchema>,
    photo?: string,
  ): MethodAnswer {
    if (markup && 'keyboard' in markup) {
      keyboards.set(
        chat,
        markup.keyboard.map((row) => row.map((key) => key.text)),
      );
    }
    if (markup && 'remove_keyboard' in markup) keyboards.delete(chat);
    const buttons = markup && 'inline_keyboard' in markup ? markup.inline_keyboard : [];
    const shown: ShownMessage = { message_id: ++lastId, chat, text, buttons, ...(photo && { photo }) };
    messages.set(`${chat}/${shown.message_id}`, shown);
    return { result: { message_id: shown.message_id, date: 1_790_000_000, chat: { id: chat }, text } };
  }

  function edit(payload: unknown): MethodAnswer {
    const read = editSchema.safeParse(payload);
    if (!read.success) return unreadable;
    const { chat_id: chat, message_id, text, reply_markup: markup } = read.data;
    const old = messages.get(`${chat}/${message_id}`);
    if (!old) return refused('message to edit not found');
    if (old.photo && text !== undefined) return refused('there is no text in the message to edit');
    const next = { ...old, text: text ?? old.text, buttons: markup?.inline_keyboard ?? [] };
    if (JSON.stringify(next) === JSON.stringify(old)) {
      return refused('message is not modified: specified new message content is exactly the same');
    }
    messages.set(`${chat}/${message_id}`, next);
    return { result: { message_id, date: 1_790_000_000, chat: { id: chat }, text: next.text } };
  }

  function answerQuery(payload: unknown): MethodAnswer {
    const read = answerSchema.safeParse(payload);
    if (!read.success) return unreadable;
    const { callback_query_id: query } = read.data;
    if (answered.has(query)) {
      return refused('query is too old and response timeout expired or query ID is invalid');
    }
    answered.add(query);
    return { result: true };
  }

  return {
    /** Carries out a method about messages; null for any other method. */
    run(method: string, payload: unknown): MethodAnswer | null {
      switch (method) {
        case 'sendMessage':
          return send(payload);
        case 'sendPhoto':
          return sendPhoto(payload);
        case 'editMessageText':
        case 'editMessageReplyMarkup':
          return edit(payload);
        case 'answerCallbackQuery':
          return answerQuery(payload);
        case 'sendChatAction':
          return { result: true };
        case 'setMyCommands':
        case 'setMyDescription':
        case 'setMyShortDescription':
        case 'getMyCommands':
        case 'getMyDescription':
        case 'getMyShortDescription':
          return describe(method, payload);
        default:
          return null;
      }
    },
    shown: (chat: number): ShownMessage[] =>
      [...messages.values()].filter((message) => message.chat === chat),
    /** Labels of the keyboard in place of the customer's own, row by row; empty = none. */
    keyboard: (chat: number): string[][] => keyboards.get(chat) ?? [],
  };
}
