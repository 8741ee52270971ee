import type { Interpreter, SlotKind } from './commands.ts';
import type { Context } from './context.ts';
import type { Effect, Outcome, Spending } from './effect.ts';
import type { LocalizedText } from './message.ts';
import type { Choice, Line, Reply } from './reply.ts';
import type { Draft, Operation, State } from './state.ts';

/*
 * A flow is data: a file in `flows/` and a line in `flows/index.ts`. `test/locales.test.ts` names the words
 * that it needs in `locales/`. Its functions see slots and context, never a text or the state.
 */

/** What a step may know. */
export type Scope = Context & {
  readonly flows: Flows;
  readonly language: Interpreter;
  /** The operator's answers to questions, by id. */
  readonly answers: ReadonlyMap<string, LocalizedText>;
  /** How each question that has an answer is asked, by id. */
  readonly questionTexts: ReadonlyMap<string, LocalizedText>;
};

/**
 * What the bot can do for a customer.
 *
 * @example
 * const tier: Flow = {
 *   name: 'tier',
 *   priority: 12,
 *   identity: 'proved',
 *   slots: ['phone'],
 *   end: { reads: 'balance', tell: () => ({ key: 'points.rank' }) },
 * };
 */
export type Flow = {
  readonly name: string;
  /** If a message names several flows, the one with the highest priority begins. */
  readonly priority: number;
  /**
   * `typed`: a typed or remembered phone is enough. `proved`: only a proved phone or e-mail is (SECURITY.md).
   */
  readonly identity: 'typed' | 'proved';
  /** In the order of asking; `slots.ts` describes each. */
  readonly slots: readonly SlotKind[];
  /** The list of the history that its words mean. `vague`: unless the text names the other list. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
  /** Checks that run after the slots' own checks (`dialogue/advance.ts`). */
  readonly guards?: readonly FlowGuard[] | undefined;
  readonly end: Confirms | Reads;
};

/**
 * A check that a flow brings along.
 *
 * @example
 * const guard: FlowGuard = {
 *   refuseEnd: ({ gift }) => (gift === 'LOA01' ? { say: { key: 'gift.gone' }, ask: 'gift' } : undefined),
 * };
 */
export type FlowGuard = {
  /** Why the flow may not begin or call AntCRM now. */
  readonly refuseStart?: ((draft: Draft, scope: Context) => Reply | undefined) | undefined;
  /** Why the flow may not end now. `ask`: the slot to ask for again. */
  readonly refuseEnd?:
    | ((draft: Draft, scope: Context) => { readonly say: Reply; readonly ask?: SlotKind } | undefined)
    | undefined;
};

/** The end of a flow that reads the balance, or the history page by page. */
export type Reads =
  | {
      readonly reads: 'balance';
      /** `isSure`: the balance contains all operations of this conversation. */
      readonly tell: (outcome: BalanceRead, scope: Context, isSure: boolean) => Reply;
    }
  | { readonly reads: 'pages' };
export type BalanceRead = Extract<Outcome, { kind: 'balance' | 'sums' }>;

/** The end of a flow that calls AntCRM once the customer confirms its summary. */
export type Confirms = Confirmation & ConfirmsByText;

/** A typed yes confirms a summary that was the last reply. No text confirms a spending. */
type ConfirmsByText =
  | { readonly kind: Exclude<Operation['kind'], Spending>; readonly confirmsByText?: true | undefined }
  | { readonly kind: Spending; readonly confirmsByText?: never };

type Confirmation = {
  readonly kind: Operation['kind'];
  /** The lines of the summary. */
  readonly summary: (draft: Draft, profile: State['profile'], scope: Context) => readonly Line[];
  /** What the summary is about in a few words, for when it is shown again: a variant of `<flow>.summary`. */
  readonly brief: (draft: Draft, scope: Context) => Pick<Line, 'context' | 'params'>;
  /** The buttons of the summary that change a slot (`edit:<field>`). */
  readonly edits: (draft: Draft) => readonly Choice[];
  /** The call; undefined if a slot is missing, then nothing is called. */
  readonly effect: (draft: Draft, call: CallId, scope: Context) => Effect | undefined;
  /** Buttons below the success reply: what the customer may want next. */
  readonly next?: ((draft: Draft, scope: Context) => readonly Choice[]) | undefined;
  /** Why AntCRM refused, if it is known: a variant of the refusal reply. */
  readonly why?:
    | ((draft: Draft, outcome: Refused, scope: Context) => Pick<Line, 'context' | 'params'>)
    | undefined;
};
/** `at`: the index of its code in `codes`. */
type CallId = { readonly operation: string; readonly at: number };
type Refused = Extract<Outcome, { kind: 'refused' }>;

/** What a flow confirms; undefined if it reads. */
export function findConfirms({ end }: Pick<Flow, 'end'>): Confirms | undefined {
  return 'kind' in end ? end : undefined;
}

/** Whether the flow tells the balance. */
export const readsBalance = ({ end }: Pick<Flow, 'end'>): boolean =>
  'reads' in end && end.reads === 'balance';

/** The flows of a conversation, in the order of the menu. */
export type Flows = {
  readonly all: readonly Flow[];
  get(name: string | undefined): Flow | undefined;
  /** The flow whose confirmations make operations of this kind. */
  confirming(kind: Operation['kind']): Flow | undefined;
  /** Begins with a code, a deep link or a form if no flow runs. */
  readonly codeFlow: Flow | undefined;
};

/** Throws if two flows have the same name. */
export function createFlows(all: readonly Flow[]): Flows {
  const byName = new Map(all.map((flow) => [flow.name, flow] as const));
  if (byName.size < all.length) throw new Error('two flows have the same name');
  return {
    all,
    get: (name) => (name === undefined ? undefined : byName.get(name)),
    confirming: (kind) => all.find((flow) => findConfirms(flow)?.kind === kind),
    codeFlow: all.find(({ slots }) => slots.includes('codes')),
  };
}
