import { z } from 'zod';
import type { Awaited, Effect } from './effect.ts';
import { type LocalizedText, localizedSchema, type PhotoEffect } from './message.ts';
import type { State } from './state.ts';

/** Thrown where a reply cannot be put into words, however often it is tried. */
export class Unwordable extends Error {
  override name = 'Unwordable';
}

/**
 * A keyed piece of wording: `key` names the entry in `locales/*.json`, `context` picks a variant of it
 * (i18next: `key_context`). Values are data, never wording: numbers and times (epoch ms) are formatted by the locale
 * file (`{{points, number}}`, `{{at, datetime}}`, `{{at, date}}`), a text in every language picks the reader's,
 * `{ key }` is another entry, and what a person wrote stays as `written`.
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

/** A button: `id` is stable, the label is keyed wording. */
const choiceSchema = z.strictObject({ id: z.string(), label: lineSchema });
export type Choice = z.infer<typeof choiceSchema>;

/** A button whose wording is called as it is, unless `label` says otherwise. */
export const choice = (id: string, label?: Partial<Line>): Choice => ({
  id,
  label: { key: `choice.${id}`, ...label },
});
export const CANCEL = choice('cancel');

/** The buttons that leave out one of several codes. */
export const removeChoices = (codes: readonly string[]): Choice[] =>
  codes.map((code, at) => choice(`remove:${at + 1}`, { key: 'choice.remove', params: { code } }));

/** What a question asks for. */
export const ASKS = ['code', 'phone', 'email', 'confirm', 'consent', 'period', 'menu'] as const;

/** A field of the form that asks for all missing slots at once; `value` is what is known, `reason` why it was refused. */
const fieldSchema = z.strictObject({
  slot: z.enum(['code', 'phone', 'email']),
  required: z.boolean(),
  value: z.string().optional(),
  reason: lineSchema.optional(),
});
export type FormField = z.infer<typeof fieldSchema>;

/**
 * What the bot can say, as data: one message to the customer. Channels render it; only `locales/` holds wording.
 *
 * - `lines` follow the main text, one a line (the summary's fields, a history page's records).
 * - `view` is the question's id: every button carries `<choice id>~<view>`, and only the live view's buttons work.
 * - `form` is offered to channels that can draw one; the text asks for the first missing slot anyway.
 * - `sharePhone`: where the channel has a contact-sharing button, offer it.
 * - `inPlace`: where the customer pressed a button of a message, this replaces that message (paging).
 * - `notice`: a short remark on a press; where the channel can show it as a toast, it should.
 * - `image`: an https URL of a picture of what the reply is about; the text says everything without it.
 * - `quiet`: no customer gets it: it only ends a turn, for whoever waits for that.
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
  quiet: z.literal(true).optional(),
});
export type Reply = z.infer<typeof replySchema>;

/** Whether a reply tells what became of somebody's points; those leave first where not all can. */
export function isReceipt({ key }: Pick<Reply, 'key'>): boolean {
  return /^(operation\.|(accumulate|redeem)\.(done|partly|refused)$)/.test(key);
}

/**
 * What a step decided. With an `effect`, nothing is saved yet: the effect is performed, its outcome goes into the next step,
 * and all replies of the turn leave together. After a crash the same steps are taken again, from the state before.
 */
export type Decision = {
  readonly state: State;
  readonly replies: readonly Reply[];
  readonly effect?: Effect | PhotoEffect | undefined;
  /** When the state wants a wake-up, epoch ms; null or absent: never. */
  readonly wakeAtMs?: number | null | undefined;
  /** Operations whose outcome is now known for good: their intents can be forgotten. */
  readonly settled?: readonly string[] | undefined;
  /** Customers to unlock once the state is saved. */
  readonly unlock?: readonly Unlock[] | undefined;
  /** The customer asked to be forgotten: what is kept of the conversation beside its state goes, too. */
  readonly forget?: true | undefined;
  /** The customer asked something: the id of what answered it; without one, nothing did. */
  readonly question?: { readonly answer?: string | undefined } | undefined;
  /** Operations that only staff can settle from now on: an alarm each. */
  readonly escalated?: readonly string[] | undefined;
};

/** `record` settled the operation; `awaited`: it succeeded, and the record of that is still to come. */
export type Unlock = {
  readonly customer: string;
  readonly operation: string;
  readonly record?: string | undefined;
  readonly awaited?: Awaited | undefined;
};

/** A decision that only answers. */
export function say(state: State, ...replies: readonly Reply[]): Decision {
  return { state, replies };
}

/** The same decision, its last reply changed. */
export function changeLast(decision: Decision, change: Partial<Reply>): Decision {
  const last = decision.replies.at(-1);
  return last
    ? { ...decision, replies: [...decision.replies.slice(0, -1), { ...last, ...change }] }
    : decision;
}

/** The same decision, with something said before it. */
export function sayFirst(before: readonly Reply[], decision: Decision): Decision {
  return before.length === 0 ? decision : { ...decision, replies: [...before, ...decision.replies] };
}
