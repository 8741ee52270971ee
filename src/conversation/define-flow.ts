import type { z } from 'zod';
import type { Decision } from './decision.ts';
import type { Effect, Outcome } from './effect.ts';
import type { Confirmation, Flow, FlowTraits, Joined, Question, Scope } from './flow.ts';
import type { Utterance } from './language/understand.ts';
import type { Choice, Field, Line, Reply } from './reply.ts';
import type { ConversationState, Draft, Identity } from './state.ts';

/*
 * What a flow is: one object in one file (`flows/<name>.ts`), listed once (`flows/index.ts`). Everything that lists flows
 * derives from those handed to `createConversation`. A flow's words stand in `locales/*.json`: `choice.<name>` (its
 * button), `flow.<name>` (what is being done), `help.<name>` (an example), `phrases.<name>` and `phrases.<name>_alone`
 * (what begins it), `command.<name>` with `telegram.command.<name>`, `teams.command.<name>.title` and `.description`.
 */

/** A flow as its file says it. */
export type FlowSpec<Schema extends z.ZodObject> = FlowTraits & {
  /** Its slots, each optional: `identitySchema`, since phone and e-mail are every flow's, and its own. */
  readonly slots: Schema;
  /** The questions of its own slots, those that customers are asked for. */
  readonly questions: {
    readonly [Slot in Exclude<keyof z.infer<Schema>, keyof Identity>]?: Question<Partial<z.infer<Schema>>>;
  };
  /** The next slot to ask for. */
  missing(slots: z.infer<Schema>): (keyof z.infer<Schema> & string) | undefined;
  /** What is to be read before the next slot is asked for; the outcome goes on from there. */
  reads?(slots: z.infer<Schema>, scope: Scope): Effect | undefined;
  /** All slots are there. */
  complete(state: ConversationState, slots: z.infer<Schema>, scope: Scope): Decision;
  /** How slots that were said join those at hand; absent: they take their places. */
  join?(
    state: ConversationState,
    slots: z.infer<Schema>,
    said: Partial<z.infer<Schema>>,
    scope: Scope,
  ): Joined<z.infer<Schema>>;
  /** What is said of what was noted, where another question comes next. */
  noted?(said: Partial<z.infer<Schema>>, slots: z.infer<Schema>): Reply | undefined;
  /** What a text says, as slots of its own. */
  read?(utterance: Utterance, scope: Scope): Partial<z.infer<Schema>>;
  /** Whether a text without an intent asks for this flow all the same. */
  isWished?(utterance: Utterance, scope: Scope): boolean;
  /** What is wrong with what the text says for it, where it begins by it. */
  misread?(utterance: Utterance, slots: Partial<z.infer<Schema>>, scope: Scope): Line | undefined;
  /** What the value of its menu button means: `history:gift`. */
  shortcut?(value: string): Partial<z.infer<Schema>> | undefined;
  /** Buttons beside the menu's that go further than its own; `balance`: what the customer has, where that was just read. */
  shortcuts?(state: ConversationState, balance: number | undefined, scope: Scope): readonly Choice[];
  /** A button of its own questions and pages; undefined: it is none of them. */
  pressed?(
    state: ConversationState,
    slots: z.infer<Schema>,
    choice: { readonly name: string; readonly value: string },
    scope: Scope,
  ): Decision | undefined;
  /** What a text means only while this flow waits for an answer; undefined: what it means everywhere. */
  said?(
    state: ConversationState,
    slots: z.infer<Schema>,
    utterance: Utterance,
    scope: Scope,
  ): Decision | undefined;
  /** The fields of a form for what is missing, where this flow offers one. */
  form?(slots: z.infer<Schema>): Field[];
  /** What AntCRM answered to what `complete` (or a page) asked for. */
  outcome?(
    state: ConversationState,
    slots: z.infer<Schema>,
    outcome: Outcome,
    scope: Scope,
  ): Decision | undefined;
  readonly confirmation?: Confirmation<z.infer<Schema>> | undefined;
};

/**
 * Makes a flow. Inside, its slots have the types of its schema; at its boundary every draft is parsed by it, so that no
 * flow ever sees another's.
 *
 * @example
 * export const tier: Flow = defineFlow({
 *   name: 'tier',
 *   priority: 10,
 *   identity: 'proved',
 *   slots: identitySchema,
 *   questions: {},
 *   missing: (slots) => (proved(slots) === undefined ? 'phone' : undefined),
 *   complete(state, slots, scope) {
 *     const by = proved(slots);
 *     return by ? { state, replies: [], effect: { kind: 'balance', by } } : home(state, scope, { key: 'menu' });
 *   },
 *   outcome: (state, slots, outcome, scope) => home(state, scope, { key: 'points.balance' }),
 * });
 */
export function defineFlow<Schema extends z.ZodObject>(spec: FlowSpec<Schema>): Flow {
  const { slots: schema, confirmation } = spec;
  const slotsOf = (draft: Draft): z.infer<Schema> => schema.parse(draft);
  const { name, page, identity, priority, list, showsPast } = spec;
  const { claimsCode, knowsCode, claimsLink } = spec;
  return {
    ...{ name, page, identity, priority, list, showsPast, schema },
    ...{ claimsCode, knowsCode, claimsLink },
    own: (draft) =>
      Object.fromEntries(Object.entries(draft).filter(([slot]) => Object.hasOwn(schema.shape, slot))),
    takesCode: Object.hasOwn(schema.shape, slotOf(schema, 'code')),
    slotCalled: (field) => slotOf(schema, field),
    questions: asking<Schema>(spec.questions, slotsOf),
    missing: (draft) => spec.missing(slotsOf(draft)),
    reads: (draft, scope) => spec.reads?.(slotsOf(draft), scope),
    complete: (state, scope) => spec.complete(state, slotsOf(state.draft), scope),
    join: (state, said, scope) =>
      spec.join?.(state, slotsOf(state.draft), slotsOf(said), scope) ?? {
        slots: { ...state.draft, ...said },
      },
    noted: (said, draft) => spec.noted?.(slotsOf(said), slotsOf(draft)),
    read: (utterance, scope) => spec.read?.(utterance, scope) ?? {},
    isWished: (utterance, scope) => spec.isWished?.(utterance, scope) ?? false,
    misread: (utterance, slots, scope) => spec.misread?.(utterance, slotsOf(slots), scope),
    shortcut: (value) => spec.shortcut?.(value),
    shortcuts: (state, balance, scope) => spec.shortcuts?.(state, balance, scope) ?? [],
    pressed: (state, choice, scope) => spec.pressed?.(state, slotsOf(state.draft), choice, scope),
    said: (state, utterance, scope) => spec.said?.(state, slotsOf(state.draft), utterance, scope),
    form: (draft) => spec.form?.(slotsOf(draft)),
    hasForm: spec.form !== undefined,
    outcome: (state, outcome, scope) => spec.outcome?.(state, slotsOf(state.draft), outcome, scope),
    confirmation: confirmation && {
      ...confirmation,
      summary: (draft, state, scope) => confirmation.summary(slotsOf(draft), state, scope),
      edits: (draft) => confirmation.edits(slotsOf(draft)),
      effect: (draft, operation, scope, at) => confirmation.effect(slotsOf(draft), operation, scope, at),
      codes: (draft) => confirmation.codes?.(slotsOf(draft)) ?? [],
      gift: (draft) => confirmation.gift?.(slotsOf(draft)),
      image: (draft, scope) => confirmation.image?.(slotsOf(draft), scope),
      remarks: (draft, outcome) => confirmation.remarks?.(slotsOf(draft), outcome) ?? [],
      next: (draft, scope) => confirmation.next?.(slotsOf(draft), scope) ?? [],
      why: (draft, outcome, scope) => confirmation.why?.(slotsOf(draft), outcome, scope) ?? {},
    },
  };
}

/** The questions, each given the slots of its flow. */
function asking<Schema extends z.ZodObject>(
  questions: FlowSpec<Schema>['questions'],
  slotsOf: (draft: Draft) => z.infer<Schema>,
): Flow['questions'] {
  const entries = Object.entries<Question<Partial<z.infer<Schema>>> | undefined>(questions);
  return Object.fromEntries(
    entries.map(([slot, question]): [string, Question<Draft> | undefined] => [
      slot,
      question && { ...question, ask: (scope, draft) => question.ask(scope, slotsOf(draft)) },
    ]),
  );
}

function slotOf({ shape }: z.ZodObject, field: string): string {
  return field === 'code' && Object.hasOwn(shape, 'codes') ? 'codes' : field;
}
