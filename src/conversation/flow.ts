import type { Interpreter, SlotKind } from './commands.ts';
import type { Context } from './context.ts';
import type { Effect, Outcome, Spending } from './effect.ts';
import type { LocalizedText } from './message.ts';
import type { Choice, Line, Reply } from './reply.ts';
import type { Draft, Operation, State } from './state.ts';

/*
 * What a flow is: data, one file in `flows/`, one line in `flows/index.ts`. Its words stand in `locales/*`: `choice.<name>`
 * (its button), `flow.<name>` (what is being done), `help.<name>` (an example), `command.<name>` and what platforms call
 * it; what begins it. A function in it projects slots and context: it sees no text, no state, no dialogue, and decides
 * nothing.
 */

/** What a step may know: what every turn tells it, and the flows and the language of this conversation. */
export type Scope = Context & {
  readonly flows: Flows;
  readonly language: Interpreter;
  /** The operator's answers to questions, by their ids; the others stand in the wording, `answer.<id>`. */
  readonly answers: ReadonlyMap<string, LocalizedText>;
  /** The questions that have an answer: by their ids, how each is asked. */
  readonly answered: ReadonlyMap<string, LocalizedText>;
};

export type Flow = {
  readonly name: string;
  /** Of several flows in a message, the one with the highest is meant. */
  readonly priority: number;
  /**
   * `typed`: a typed phone will do, and a remembered one is offered. `proved`: reading or spending needs a proved
   * identifier, and only what proves counts.
   */
  readonly identity: 'typed' | 'proved';
  /** In the order of asking (`kinds.ts`). */
  readonly slots: readonly SlotKind[];
  /** The list of the history that its words speak of; `vague`: only where nothing names the other one. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
  /** What forbids to begin or to go on, behind what its slots forbid by themselves (`dialogue/advance.ts`). */
  readonly guards?: readonly FlowGuard[] | undefined;
  readonly end: Confirms | Reads;
};

/** A guard that a flow brings along. */
export type FlowGuard = {
  /** Said instead of beginning, and instead of calling. */
  readonly begins?: ((draft: Draft, scope: Context) => Reply | undefined) | undefined;
  /** Said instead of the summary or the read; `ask`: that slot is asked for anew. */
  readonly goesOn?:
    | ((draft: Draft, scope: Context) => { readonly say: Reply; readonly ask?: SlotKind } | undefined)
    | undefined;
};

/** A flow that reads: the balance, which it tells in its own words, or the history, page by page. */
export type Reads =
  | {
      readonly reads: 'balance';
      /** `isSure`: AntCRM surely has all that was done here. */
      readonly tell: (outcome: BalanceRead, scope: Context, isSure: boolean) => Reply;
    }
  | { readonly reads: 'pages' };
export type BalanceRead = Extract<Outcome, { kind: 'balance' | 'sums' }>;

/** What a confirmed flow asks of AntCRM, and what each outcome says beside what is said of all operations. */
export type Confirms = Confirmation & ByWord;

/** A typed yes confirms it, too, where the summary is the last thing that its writer was shown. What spends never does. */
type ByWord =
  | { readonly kind: Exclude<Operation['kind'], Spending>; readonly byWord?: true | undefined }
  | { readonly kind: Spending; readonly byWord?: never };

type Confirmation = {
  readonly kind: Operation['kind'];
  /** The lines of the summary, and the buttons that change a slot (`edit:<field>`). */
  readonly summary: (draft: Draft, profile: State['profile'], scope: Context) => readonly Line[];
  readonly edits: (draft: Draft) => readonly Choice[];
  /** Undefined if the slots lack what the call needs: nothing is ever asked then. `at`: the place of its code in `codes`. */
  readonly effect: (draft: Draft, operation: string, scope: Context, at: number) => Effect | undefined;
  /** Buttons of the good news, before the menu's: what may come next. */
  readonly next?: ((draft: Draft, scope: Context) => readonly Choice[]) | undefined;
  /** What is known of why it was refused: a variant of the bad news. */
  readonly why?:
    | ((draft: Draft, outcome: Refused, scope: Context) => Pick<Line, 'context' | 'params'>)
    | undefined;
};
type Refused = Extract<Outcome, { kind: 'refused' }>;

/** What a flow confirms; undefined where it reads. */
export function confirmsIn({ end }: Pick<Flow, 'end'>): Confirms | undefined {
  return 'kind' in end ? end : undefined;
}

/** The flows of a conversation, in the order of the menu. */
export type Flows = {
  readonly all: readonly Flow[];
  get(name: string | undefined): Flow | undefined;
  /** The flow whose confirmations make operations of this kind. */
  confirming(kind: Operation['kind']): Flow | undefined;
  /** The flow that is begun by a code, a deep link or a form that comes out of the blue. */
  readonly ofCodes: Flow | undefined;
};

/** Throws where two have the same name. */
export function createFlows(all: readonly Flow[]): Flows {
  const byName = new Map(all.map((flow) => [flow.name, flow] as const));
  if (byName.size < all.length) throw new Error('two flows have the same name');
  const [ofCodes] = all
    .filter(({ slots }) => slots.includes('codes'))
    .sort((a, b) => b.priority - a.priority);
  return {
    all,
    get: (name) => (name === undefined ? undefined : byName.get(name)),
    confirming: (kind) => all.find((flow) => confirmsIn(flow)?.kind === kind),
    ofCodes,
  };
}
