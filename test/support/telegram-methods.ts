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

const textButtonSchema = z.object({ text: z.string().min(1) });
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
const placeSchema = z.object({ chat_id: z.int(), parse_mode: z.never().optional() });
const replySchema = placeSchema.extend({
  reply_markup: z.union([inlineSchema, keyboardSchema, removeSchema]).optional(),
});
const sendSchema = replySchema.extend({ text: textSchema });
const photoSchema = replySchema.extend({
  photo: z.url({ protocol: /^https$/ }),
  caption: z.string().max(1024).optional(),
});
const editSchema = placeSchema.extend({
  message_id: z.int(),
  text: textSchema.optional(),
  reply_markup: inlineSchema.optional(),
});
const answerSchema = z.object({ callback_query_id: z.string(), text: z.string().max(200).optional() });

type Method = (payload: unknown) => MethodAnswer;
const taken: Method = () => ({ result: true });
const refused = (description: string): MethodAnswer => ({
  code: 400,
  description: `Bad Request: ${description}`,
});

/** Refuses a payload that Telegram would refuse. */
const checked =
  <Payload>(schema: z.ZodType<Payload>, work: (payload: Payload) => MethodAnswer): Method =>
  (payload) => {
    const read = schema.safeParse(payload);
    return read.success ? work(read.data) : refused('the double cannot read the payload');
  };

/** What Telegram's servers keep of a bot's chats, as far as the bot's calls can tell. */
export function createChats() {
  const messages = new Map<string, ShownMessage>();
  const keyboards = new Map<number, string[][]>();
  const answered = new Set<string>();
  let lastId = 100;

  function keep(shown: ShownMessage): MethodAnswer {
    const { chat, message_id, text } = shown;
    messages.set(`${chat}/${message_id}`, shown);
    return { result: { message_id, date: 1_790_000_000, chat: { id: chat }, text } };
  }

  function show({ chat_id: chat, text, reply_markup: markup }: z.infer<typeof sendSchema>, photo?: string) {
    if (markup && 'keyboard' in markup) {
      const labels = markup.keyboard.map((row) => row.map((key) => key.text));
      keyboards.set(chat, labels);
    }
    if (markup && 'remove_keyboard' in markup) keyboards.delete(chat);
    const buttons = markup && 'inline_keyboard' in markup ? markup.inline_keyboard : [];
    return keep({ message_id: ++lastId, chat, text, buttons, ...(photo && { photo }) });
  }

  const edit = checked(editSchema, ({ chat_id: chat, message_id, text, reply_markup: markup }) => {
    const old = messages.get(`${chat}/${message_id}`);
    if (!old) return refused('message to edit not found');
    if (old.photo && text !== undefined) return refused('there is no text in the message to edit');
    const next = { ...old, text: text ?? old.text, buttons: markup?.inline_keyboard ?? [] };
    return JSON.stringify(next) === JSON.stringify(old)
      ? refused('message is not modified: specified new message content is exactly the same')
      : keep(next);
  });

  const answerQuery = checked(answerSchema, ({ callback_query_id: query }) => {
    if (answered.has(query))
      return refused('query is too old and response timeout expired or query ID is invalid');
    answered.add(query);
    return { result: true };
  });

  return {
    /** The methods about messages, and those that only say what the bot is. */
    methods: new Map<string, Method>([
      ['sendMessage', checked(sendSchema, (message) => show(message))],
      [
        'sendPhoto',
        checked(photoSchema, ({ photo, caption: text = '', ...to }) => show({ ...to, text }, photo)),
      ],
      ['editMessageText', edit],
      ['editMessageReplyMarkup', edit],
      ['answerCallbackQuery', answerQuery],
      ['sendChatAction', taken],
      ['setMyCommands', taken],
      ['setMyDescription', taken],
      ['setMyShortDescription', taken],
    ]),
    shown: (chat: number): ShownMessage[] =>
      [...messages.values()].filter((message) => message.chat === chat),
    /** Labels of the keyboard in place of the customer's own, row by row; empty = none. */
    keyboard: (chat: number): string[][] => keyboards.get(chat) ?? [],
  };
}
