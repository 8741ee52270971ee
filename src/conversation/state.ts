import { z } from 'zod';
import { SLOT_KINDS } from './commands.ts';
import {
  historyTypeSchema,
  identifierSchema,
  lookupSchema,
  operationKindSchema,
  provableValueSchema,
  receiptSchema,
} from './effect.ts';
import { LOCALES, type Locale, mediaSchema, type Sender } from './message.ts';
import { periodSchema } from './values/calendar.ts';

/** A flow ends after this silence, ms. */
export const IDLE_MS = 30 * 60 * 1000;

/** The customer's identifiers. `email: null`: the customer skipped it. */
export const identitySchema = z.strictObject({
  phone: provableValueSchema.optional(),
  email: provableValueSchema.nullable().optional(),
});
export type Identity = z.infer<typeof identitySchema>;

/**
 * A value in doubt, which only the customer can accept.
 * - `mapped`, `leadingZero`: a phone. `typo`: an e-mail. `code`: a code with a slip.
 * - `spoken`: put together from words or pieces. `several`: one of the options is meant.
 */
const offerSchema = z.strictObject({
  why: z.enum(['mapped', 'leadingZero', 'typo', 'spoken', 'several', 'code']),
  meant: z.string(),
  /** What the customer typed (`typo`, `code`) and may keep, shared (`mapped`), or listed (`spoken`). */
  typed: z.string().optional(),
  options: z.array(z.string()).optional(),
});
export type Offer = z.infer<typeof offerSchema>;

/** The slots of the running flow (`slots.ts`). Null: the customer has none, or it was not understood. */
export const draftSchema = identitySchema.extend({
  /** A code with a blank inside is a guess, and a doubt is about it. */
  codes: z.array(z.string()).min(1).optional(),
  /** Values in doubt that are asked about next. */
  doubts: z.array(offerSchema).min(1).optional(),
  /**
   * A one-time code is to prove the phone. `wanted`: it is to be sent. `phone`: it was sent there. `unsure`:
   * perhaps it was not. `over`: it does not count any more.
   */
  proof: z
    .strictObject({
      wanted: z.literal(true).optional(),
      phone: z.string().optional(),
      state: z.enum(['unsure', 'over']).optional(),
    })
    .optional(),
  /** The gift's code. */
  gift: z.string().optional(),
  /** The codes of the gifts that a text may have meant: one of them is to be picked. */
  among: z.array(z.string()).optional(),
  /** The price that the summary showed. */
  price: z.number().optional(),
  /** The balance at that time. `points: null`: not known. */
  balance: z
    .strictObject({ by: identifierSchema, points: z.number().nullable(), atMs: z.number() })
    .optional(),
  /** Which list of the history. */
  list: historyTypeSchema.nullable().optional(),
  period: periodSchema.nullable().optional(),
});
export type Draft = z.infer<typeof draftSchema>;

/** A page of the history, from record `skip`. */
export const pageSchema = z.strictObject({
  list: historyTypeSchema,
  by: identifierSchema,
  /** When a one-time code proved it (`ProvableValue`). */
  codeMs: z.number().optional(),
  period: periodSchema,
  skip: z.number(),
});
export type Page = z.infer<typeof pageSchema>;

const name = z.string();

/**
 * Where the conversation is.
 * - `idle`: no flow. `unfinished`: a flow ended by silence; the next reply says so.
 * - `asking`: asks for a slot. `tries`: invalid answers in a row. `editing`: the summary comes next. `offer`:
 *   a value in doubt, which only the customer can accept.
 * - `confirming`: the summary waits. `isLast`: it was the very last thing that was said, in full: a typed yes
 *   answers it.
 * - `browsing`: a page of the history.
 */
const stepSchema = z.discriminatedUnion('at', [
  z.strictObject({ at: z.literal('idle'), unfinished: z.literal(true).optional() }),
  z.strictObject({
    at: z.literal('asking'),
    flow: name,
    slot: z.enum(SLOT_KINDS),
    tries: z.number(),
    editing: z.literal(true).optional(),
    offer: offerSchema.optional(),
  }),
  z.strictObject({
    at: z.literal('confirming'),
    flow: name,
    operation: z.string(),
    isLast: z.literal(true).optional(),
  }),
  z.strictObject({ at: z.literal('browsing'), flow: name, page: pageSchema }),
]);
export type Step = z.infer<typeof stepSchema>;
export type Asking = Extract<Step, { at: 'asking' }>;
export type Confirming = Extract<Step, { at: 'confirming' }>;

/**
 * A call that earns or spends. The id is the customer's reference. If a confirmation has several codes, each
 * call has the id `<id of the confirmation>.<n>`, n from 1.
 * - `checking`: the outcome is unknown, and looked up.
 * - `watching`: the customer heard "not applied"; one last lookup finds a record that comes late.
 *   `lateMs`: one more finds a record that comes within a day, for staff; by then the operation is over.
 * - `escalated`: only staff can tell. `lookup` stays while it may be needed. `checks` counts lookups,
 *   `lookedMs` is the time of the last one, `unread` has the numbers (from 0) of lookups that could not read.
 *   The receipt keeps what later replies say.
 */
const operationSchema = z.strictObject({
  id: z.string(),
  kind: operationKindSchema,
  status: z.enum(['checking', 'watching', 'done', 'refused', 'notApplied', 'escalated']),
  atMs: z.number(),
  checks: z.number(),
  lookedMs: z.number().optional(),
  unread: z.array(z.number()).optional(),
  lateMs: z.number().optional(),
  lookup: lookupSchema.optional(),
  receipt: receiptSchema
    .omit({ record: true })
    .extend({
      /** The customer's points afterwards, where they were told. */
      balance: z.number().optional(),
    })
    .optional(),
  /** The code of the gift that it spends on. */
  gift: z.string().optional(),
  /** The code that it earns by, where several were confirmed at once. */
  code: z.string().optional(),
});
export type Operation = z.infer<typeof operationSchema>;

/** The events that customers ask about afterwards ("why?", "is it there?"). */
export const LAST_EVENTS = [
  'earned',
  'redeemed',
  'partly',
  'codeRefused',
  'giftRefused',
  'tooFewPoints',
  'checking',
  'notApplied',
  'escalated',
  'unavailable',
  'tooManyAttempts',
  'page',
  'failedRow',
  'offer',
  'person',
] as const;
export type LastEvent = (typeof LAST_EVENTS)[number];

/** Whether the outcome of an operation may still change. */
export function isOpen({ status }: Operation): boolean {
  return status === 'checking' || status === 'watching' || status === 'escalated';
}

/** Why a ticket was opened. */
export const REASONS = ['asked', 'complaint', 'escalated'] as const;
export type Reason = (typeof REASONS)[number];

/**
 * A message in a ticket; `by` is absent if the customer wrote it. `id` tells it from its repeat. `tracked`:
 * its record tells whether it was delivered. `media`: each with its number in the ticket. `inner`: a note of
 * staff that the customer never sees.
 */
const noteSchema = z.strictObject({
  atMs: z.number(),
  text: z.string(),
  by: z.string().optional(),
  id: z.string().optional(),
  tracked: z.literal(true).optional(),
  media: z.array(mediaSchema.extend({ n: z.number() })).optional(),
  inner: z.literal(true).optional(),
  /** The platform's id of the customer's message. `before`: the text before the last edit. */
  ref: z.string().optional(),
  edited: z.literal(true).optional(),
  before: z.string().optional(),
  deleted: z.literal(true).optional(),
});

/** The flow, its question and its values, in full, when the ticket was opened. */
export const doingSchema = z.strictObject({
  flow: name,
  asks: z.string().optional(),
  codes: z.array(z.string()).optional(),
  gift: z.string().optional(),
  phone: z.string().optional(),
  email: z.string().optional(),
});

/**
 * A talk with a person.
 * - `waitsMs`: since when the customer waits. `answeredMs`: the last message of staff. A ticket of an
 *   escalated operation has neither: the bot goes on until the customer or staff write.
 * - `name`: the customer's display name. `claimedBy`, `closed.staff`: the member of staff. `assignedTo`: who
 *   is to take it, until a member of staff claims it.
 * - `led`: messages that led to it. `notUnderstood`: messages before it that were not understood.
 * - `erased`: closed for new messages.
 * - `count`: the number of all messages and media (`notes` has only the last ones), and of claims, releases,
 *   assignments and inner notes.
 */
const ticketSchema = z.strictObject({
  id: z.string(),
  reason: z.enum(REASONS),
  name: z.string().optional(),
  openedMs: z.number(),
  waitsMs: z.number().optional(),
  answeredMs: z.number().optional(),
  late: z.literal(true).optional(),
  /** A word of leaving brought the button that leaves: it comes once. */
  leaveOffered: z.literal(true).optional(),
  claimedBy: z.string().optional(),
  assignedTo: z.string().optional(),
  closed: z
    .strictObject({
      atMs: z.number(),
      by: z.enum(['customer', 'staff', 'time']),
      staff: z.string().optional(),
    })
    .optional(),
  doing: doingSchema.optional(),
  led: z.array(z.string()).optional(),
  notUnderstood: z.array(z.string()).optional(),
  erased: z.literal(true).optional(),
  notes: z.array(noteSchema),
  count: z.strictObject({
    customer: z.number(),
    staff: z.number(),
    claims: z.number().optional(),
    media: z.number().optional(),
  }),
});
export type Ticket = z.infer<typeof ticketSchema>;

/**
 * All that is stored of a conversation (sealed), the same for all flows. `draft` ends with its flow;
 * `profile` stays only after consent. Languages: `clientLocale` of the client, `textLocale` of the customer's
 * clear sentences, `turning` of the last one if it is another, `locale` the customer's choice.
 */
export const stateSchema = z.strictObject({
  locale: z.enum(LOCALES).optional(),
  clientLocale: z.enum(LOCALES).optional(),
  textLocale: z.enum(LOCALES).optional(),
  turning: z.enum(LOCALES).optional(),
  /** What the customer calls themselves, where the language has a table of address. */
  address: z.string().optional(),
  lastMessageMs: z.number(),
  step: stepSchema,
  draft: draftSchema,
  /** What flows gathered that are not finished, while another one runs; erased like a draft. */
  parked: z.array(z.strictObject({ flow: name, draft: draftSchema })).optional(),
  /** The id of the current question. A press on another one does nothing. */
  view: z.string().optional(),
  /** The last text, a part of a value ("0867"): the next text may be the rest of it. */
  piece: z.strictObject({ value: z.string(), atMs: z.number() }).optional(),
  /** The last messages, and the values of each that still stand (`dialogue/edits.ts`). */
  said: z.array(z.strictObject({ ref: z.string(), atMs: z.number(), gave: z.array(z.string()) })).optional(),
  /** When a one-time code was last sent, epoch ms: for a while, six digits in texts are hidden from staff. */
  codeSentMs: z.number().optional(),
  profile: z.strictObject({ phone: provableValueSchema.optional(), email: provableValueSchema.optional() }),
  consent: z
    .strictObject({ given: z.boolean(), version: z.number(), atMs: z.number(), channel: z.string() })
    .optional(),
  /**
   * The question whether phone and e-mail may be remembered: each version of it is asked once. `open`: it has
   * no answer yet; the view of its buttons and what would be remembered are erased like a draft. `isLast`:
   * nothing was said after it, so words can answer it.
   */
  consentQuestion: z
    .strictObject({
      version: z.number(),
      open: z
        .strictObject({
          view: z.string(),
          isLast: z.literal(true).optional(),
          phone: provableValueSchema.optional(),
          email: provableValueSchema.optional(),
        })
        .optional(),
    })
    .optional(),
  /** Until another question is asked, or half an hour of silence. */
  lastEvent: z.enum(LAST_EVENTS).optional(),
  /** Staff's last customer: a button of the next flow names them again. */
  before: identitySchema.optional(),
  /** The e-mail is asked for only once. */
  emailAsked: z.literal(true).optional(),
  operations: z.array(operationSchema),
  /** Earlier redemptions of which the counter has a record (`counter/`), which `/forget` must reach. */
  gifts: z.array(z.strictObject({ id: z.string(), atMs: z.number() })).optional(),
  /** The number of messages in a row that were not understood. */
  misses: z.number().optional(),
  /** The last reply offered a person: why, and the messages that led to it. */
  offered: z.strictObject({ why: z.enum(['asked', 'complaint']), led: z.array(z.string()) }).optional(),
  /** What was sent in addition to text while no staff answered: a ticket that opens takes it. */
  recentMedia: z
    .array(z.strictObject({ atMs: z.number(), text: z.string(), media: z.array(mediaSchema) }))
    .optional(),
  /** Messages since the last one that was understood. */
  notUnderstood: z.array(z.string()).optional(),
  /**
   * Masked sentences that were not understood, oldest first; only of customers who agreed to be remembered.
   */
  unclear: z
    .array(z.strictObject({ atMs: z.number(), text: z.string(), question: z.string().optional() }))
    .optional(),
  /** Oldest first. Only the last one can be open. */
  tickets: z.array(ticketSchema).optional(),
  /** The number of refused codes in a row, and when the last one was refused. */
  guesses: z.strictObject({ refused: z.number(), atMs: z.number() }).optional(),
});
export type State = z.infer<typeof stateSchema>;

/** The open ticket. */
export function findOpenTicket({ tickets }: Pick<State, 'tickets'>): Ticket | undefined {
  const last = tickets?.at(-1);
  return last?.closed ? undefined : last;
}

/** The open ticket if a person answers in place of the bot. */
export function findTakenTicket(state: Pick<State, 'tickets'>): Ticket | undefined {
  const ticket = findOpenTicket(state);
  return ticket?.waitsMs === undefined && ticket?.answeredMs === undefined ? undefined : ticket;
}

/** The language of replies. */
export function localeOf(
  { locale, textLocale, clientLocale }: State,
  sender: Sender,
  defaultLocale: Locale,
): Locale {
  return locale ?? textLocale ?? sender.locale ?? clientLocale ?? defaultLocale;
}

/** The state of a new conversation. */
export function newState(lastMessageMs = 0): State {
  return { lastMessageMs, step: { at: 'idle' }, draft: {}, profile: {}, operations: [] };
}

/** The state without the value in doubt. */
export function dropOffer(state: State): State {
  if (state.step.at !== 'asking') return state;
  const { offer: _, ...step } = state.step;
  return { ...state, step };
}

/** A typed yes confirms nothing any more. */
export function forgetLast(state: State): State {
  if (state.step.at !== 'confirming' || !state.step.isLast) return state;
  const { isLast: _, ...step } = state.step;
  return { ...state, step };
}

/** `unknownFlow`: this process does not have the flow, and the state is without it. */
export type StateRead = { readonly state: State; readonly unknownFlow?: true };

/** Reads a state that `version` stored. Throws `NewerVersion`, or an error for a wrong shape. */
export type ReadState = (stored: unknown, version?: number) => StateRead;

/**
 * The version of all that is stored: state, message, reply, intent, dead letter. A changed shape raises it,
 * with an upgrade and frozen samples (docs/recipes/stored.md). The store keeps it with the bodies,
 * so that older processes leave newer ones alone. Version 1 is that of the first release, 1.0.0-beta.1.
 */
export const VERSION = 1;

/** The upgrade from each version to the next. A version without one did not change the shape. */
export type Upgrades = Readonly<Record<number, (body: unknown) => unknown>>;

/**
 * A newer version stored it. It is thrown, because bodies are read within each other; `readOrGiveBack`
 * ends it.
 */
export class NewerVersion extends Error {
  override readonly name = 'NewerVersion';
}

/** Converts what `version` stored to this version. Throws `NewerVersion`. */
export function upgrade(body: unknown, version: number, upgrades: Upgrades): unknown {
  if (version > VERSION) throw new NewerVersion(`stored by version ${version}`);
  let upgraded = body;
  for (let from = version; from < VERSION; from++) upgraded = upgrades[from]?.(upgraded) ?? upgraded;
  return upgraded;
}

/** How the state changed from version to version (0: before the first release): not yet. */
export const STATE_UPGRADES: Upgrades = {};
