import { z } from 'zod';
import type { AwaitedRecord, Effect } from './effect.ts';
import type { GiftNote } from './gift-note.ts';
import { type LocalizedText, localizedSchema, mediaSchema, type PhotoEffect } from './message.ts';
import type { ProofEffect } from './proof.ts';
import type { State } from './state.ts';

/**
 * The reply cannot be rendered as text. It is thrown, because wordings hold each other; the outbox drops
 * the reply.
 */
export class Unwordable extends Error {
  override name = 'Unwordable';
}

/**
 * A keyed piece of wording: `key` names the entry in `locales/*.json`, `context` a variant of it (i18next:
 * `key_context`). Parameters are data: the locale file formats numbers and times (epoch ms) as in `{{points,
 * number}}` or `{{at, date}}`; a `LocalizedText` is shown in the reader's language; a `Line` is another
 * entry; `written` is what a person wrote.
 */
export type Line = {
  key: string;
  context?: string | undefined;
  params?: Record<string, Param> | undefined;
};
export type Param = string | number | LocalizedText | Line | { readonly written: string };

const lineSchema: z.ZodType<Line> = z.strictObject({
  key: z.string(),
  context: z.string().optional(),
  params: z
    .record(
      z.string(),
      z.lazy(() => paramSchema),
    )
    .optional(),
});
const paramSchema: z.ZodType<Param> = z.union([
  z.string(),
  z.number(),
  localizedSchema(z.string()),
  z.strictObject({ written: z.string() }),
  lineSchema,
]);

/** A button. Its id is stable, its label is keyed wording. */
const choiceSchema = z.strictObject({ id: z.string(), label: lineSchema });
export type Choice = z.infer<typeof choiceSchema>;

/** A button whose label is `choice.<id>`, unless `label` says otherwise. */
export const choice = (id: string, label?: Partial<Line>): Choice => ({
  id,
  label: { key: `choice.${id}`, ...label },
});
export const CANCEL = choice('cancel');

/** A button for each code, which removes it. */
export const removeChoices = (codes: readonly string[]): Choice[] =>
  codes.map((code, at) => choice(`remove:${at + 1}`, { key: 'choice.remove', params: { code } }));

/** What a question asks for. */
const ASKS = ['code', 'phone', 'email', 'proof', 'confirm', 'consent', 'period', 'menu'] as const;

/** A field of a form. `reason` says why its value was refused. */
const fieldSchema = z.strictObject({
  slot: z.enum(['code', 'phone', 'email']),
  required: z.boolean(),
  value: z.string().optional(),
  reason: lineSchema.optional(),
});
export type FormField = z.infer<typeof fieldSchema>;

/**
 * One message to the customer, as data. Channels render it; only `locales/` holds wording.
 *
 * - `lines` follow the main text, one a line (fields of the summary, records of a page).
 * - `view` is the id of the question. A button carries `<choice id>~<view>`, and works while its view is
 *   current.
 * - `form`: for channels that can draw one. The text asks for the first missing slot anyway.
 * - `sharePhone`: the channel offers its button that shares a contact, if it has one.
 * - `inPlace`: replaces the message whose button was pressed (paging).
 * - `notice`: a short remark on a press, shown as a toast where the channel can.
 * - `image`: an https URL of a picture. The text says everything without it.
 * - `qr`: a text that the channel may show as a QR code. The text of the reply has it, too. A channel that
 *   can show it only in place of the text offers a button (`qr:<text>`), which asks for the reply
 * `QR_PICTURE`.
 * - `address`: what the customer is called in it, if the language has a table of address.
 * - `file`: what staff send with it; `at` is its name in `StaffFiles` (records).
 * - `note`: the id of the staff's message that it carries.
 * - `quiet`: it is not sent to the customer. It only ends the turn.
 */
export const replySchema = z.strictObject({
  key: z.string(),
  context: z.string().optional(),
  params: z.record(z.string(), paramSchema).optional(),
  lines: z.array(lineSchema).optional(),
  choices: z.array(choiceSchema).optional(),
  asks: z.enum(ASKS).optional(),
  view: z.string().optional(),
  form: z.array(fieldSchema).optional(),
  sharePhone: z.literal(true).optional(),
  inPlace: z.literal(true).optional(),
  notice: z.literal(true).optional(),
  image: z.string().optional(),
  qr: z.string().optional(),
  address: z.string().optional(),
  file: mediaSchema.optional(),
  note: z.string().optional(),
  quiet: z.literal(true).optional(),
});
export type Reply = z.infer<typeof replySchema>;

/** The key of the reply that is the picture of a QR code. */
export const QR_PICTURE = 'receipt.qr';

/** The reply as text alone: without buttons, forms, pictures and files. It says all that it said. */
export function toPlainest({ key, context, params, lines, address, note, quiet }: Reply): Reply {
  return { key, context, params, lines, address, note, quiet };
}

/** Whether a reply tells the result of an operation: it leaves first if the channel is limited. */
export function isReceipt({ key }: Pick<Reply, 'key'>): boolean {
  return /^(operation\.|(accumulate|redeem)\.(done|partly|refused)$)/.test(key);
}

/**
 * What a step decided. With an `effect` nothing is saved yet: the engine performs it, and its outcome is the
 * input of the next step. All replies of the turn leave together. After a crash the same steps are taken
 * again.
 *
 * @example
 * const decision: Decision = say(state, { key: 'menu' });
 */
export type Decision = {
  readonly state: State;
  readonly replies: readonly Reply[];
  readonly effect?: Effect | PhotoEffect | ProofEffect | undefined;
  /** When the state wants to be woken, epoch ms; null or absent: never. */
  readonly wakeAtMs?: number | null | undefined;
  /** Operations whose outcome is final: their intents can be deleted. */
  readonly settled?: readonly string[] | undefined;
  /** Customers to unlock once the state is saved. */
  readonly unlock?: readonly Unlock[] | undefined;
  /** For the counter's records of redeemed gifts. */
  readonly gifts?: readonly GiftNote[] | undefined;
  /** What is stored outside of the state is deleted, too. */
  readonly forget?: true | undefined;
  /** The customer asked a question: the id of its answer, absent if it has none. */
  readonly question?: { readonly answer?: string | undefined } | undefined;
  /** Operations that only staff can settle from now on. Each raises an alarm. */
  readonly escalated?: readonly string[] | undefined;
  /** Operations that were applied a day after the customer read "not applied". Each raises an alarm. */
  readonly late?: readonly string[] | undefined;
};

/** A lock to release. `record` settled the operation; `awaited`: its record is still to come. */
export type Unlock = {
  readonly customer: string;
  readonly operation: string;
  readonly record?: string | undefined;
  readonly awaited?: AwaitedRecord | undefined;
};

/** A decision that only answers. */
export function say(state: State, ...replies: readonly Reply[]): Decision {
  return { state, replies };
}

/** The same decision with a changed last reply. */
export function changeLast(decision: Decision, change: Partial<Reply>): Decision {
  const last = decision.replies.at(-1);
  return last
    ? { ...decision, replies: [...decision.replies.slice(0, -1), { ...last, ...change }] }
    : decision;
}

/** The same decision with replies before its own. */
export function sayFirst(before: readonly Reply[], decision: Decision): Decision {
  return before.length === 0 ? decision : { ...decision, replies: [...before, ...decision.replies] };
}
