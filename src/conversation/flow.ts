import type { z } from 'zod';
import type { Context } from './context.ts';
import type { Decision } from './decision.ts';
import type { Effect, Outcome, Spending } from './effect.ts';
import type { AnswerKey } from './language/answers.ts';
import type { Language, Utterance } from './language/understand.ts';
import type { FlowWords } from './language/vocabulary.ts';
import type { Choice, Field, Line, Reply } from './reply.ts';
import type { ConversationState, Draft, Operation } from './state.ts';

/*
 * What a flow is to the dialogue that runs it, and the flows of a conversation. `define-flow.ts` makes one.
 */

/** What a step may know: what every turn tells it, and the flows and the language of this conversation. */
export type Scope = Context & { readonly flows: Flows; readonly language: Language };

/** What a typed answer is worth: slots, a reason (a message key and its params), or an e-mail to be read as one. */
export type Answer<Slots> =
  | { readonly ok: true; readonly slots: Slots }
  | { readonly ok: false; readonly reason: string; readonly params?: Line['params'] }
  | { readonly ok: 'email' };

export type Question<Slots> = {
  /** The question of this slot, without a view; `slots`: what the flow has so far. */
  readonly ask: (scope: Scope, slots: Slots) => Reply;
  /** A typed answer, once nothing else explains the text. */
  readonly answer: (text: string, scope: Scope) => Answer<Slots>;
  /** What is said to whoever does not understand it. */
  readonly about?: About | undefined;
};

/** The built-in answers to "what?" and to "what is wrong with that?", asked in place of an answer to our question. */
export type About = { readonly what: AnswerKey; readonly wrong: AnswerKey };

/**
 * What slots become where something more was said, and what the customer is told of that. `doubt`: a code among them that
 * was probably meant otherwise, which is asked about before the flow goes on.
 */
export type Joined<Slots> = {
  readonly slots: Slots;
  readonly remark?: Reply | undefined;
  readonly doubt?: { readonly typed: string; readonly value: string } | undefined;
};

/** What a confirmed flow asks of AntCRM, and what each outcome says beside what is said of all operations. */
export type Confirmation<Slots> = Confirming<Slots> & ByWord;

/** A typed yes confirms it, too, where the summary is the last thing that its writer was shown. What spends never does. */
type ByWord =
  | { readonly kind: Exclude<Operation['kind'], Spending>; readonly byWord?: true | undefined }
  | { readonly kind: Spending; readonly byWord?: never };

type Confirming<Slots> = {
  /** One at a time for a customer: the next waits for the outcome of the last. */
  readonly exclusive: boolean;
  /** The lines of the summary, and the buttons that change a slot (`edit:<slot>`). */
  readonly summary: (slots: Slots, state: ConversationState, scope: Scope) => readonly Line[];
  readonly edits: (slots: Slots) => readonly Choice[];
  /** Undefined if the slots lack what the call needs: nothing is ever asked then. `at`: the place of its code in `codes`. */
  readonly effect: (slots: Slots, operation: string, scope: Scope, at: number) => Effect | undefined;
  /** The codes that it makes a call for each; absent: it makes one call. */
  readonly codes?: ((slots: Slots) => readonly string[]) | undefined;
  /** Goes on with the codes that were not tried any more, for what `why` says (the limit of guesses aside). */
  readonly untried?:
    | ((state: ConversationState, codes: readonly string[], why: Reply, scope: Scope) => Decision)
    | undefined;
  /** What is to be remembered of the call. */
  readonly gift?: ((slots: Slots) => string | undefined) | undefined;
  /** A picture of what is confirmed (https URL). */
  readonly image?: ((slots: Slots, scope: Scope) => string | undefined) | undefined;
  /** Said instead of calling now. */
  readonly hindered?: ((state: ConversationState, scope: Scope) => Reply | undefined) | undefined;
  /** Lines of the good news. */
  readonly remarks?:
    | ((slots: Slots, outcome: Extract<Outcome, { kind: 'applied' }>) => readonly Line[])
    | undefined;
  /** Buttons of the good news, before the menu's: what may come next. */
  readonly next?: ((slots: Slots, scope: Scope) => readonly Choice[]) | undefined;
  /** What is known of why it was refused: a variant of the bad news. */
  readonly why?:
    | ((
        slots: Slots,
        outcome: Extract<Outcome, { kind: 'refused' }>,
        scope: Scope,
      ) => Pick<Line, 'context' | 'params'>)
    | undefined;
  /** Goes on after a refusal that `counted` knows; without it, back to the start. */
  readonly refused?: ((state: ConversationState, refusal: Reply, scope: Scope) => Decision) | undefined;
  /** The state with the outcome counted. */
  readonly counted?:
    | ((state: ConversationState, status: Operation['status'], scope: Scope) => ConversationState)
    | undefined;
};

/** A page of what is browsed. */
type Paging = {
  readonly schema: z.ZodType<Record<string, unknown>>;
  /** Buttons of every page, after the menu's. */
  readonly choices: readonly Choice[];
};

export type FlowTraits = FlowBeginnings & {
  readonly name: string;
  readonly page?: Paging | undefined;
  /**
   * `typed`: a typed phone will do, and a remembered one is offered. `proved`: reading or spending needs a proved
   * identifier, and only what proves counts.
   */
  readonly identity: 'typed' | 'proved';
};

/** What begins a flow beside its words. */
type FlowBeginnings = Pick<FlowWords, 'priority' | 'list' | 'showsPast'> & {
  /** A code out of the blue; of several flows, the one with the highest priority. */
  readonly claimsCode?: ((code: string, scope: Scope) => boolean) | undefined;
  /** A code that is this flow's by how it looks, where another flow asks for a code of its own. */
  readonly knowsCode?: ((code: string, scope: Scope) => boolean) | undefined;
  /** A deep link's code. */
  readonly claimsLink?: true | undefined;
};

/** A flow as the dialogue runs it: its own slots are the draft of whatever state it is given. */
export type Flow = FlowTraits & {
  readonly schema: z.ZodObject;
  /** The flow's own slots of a draft: an answer may name others. */
  own(draft: Draft): Draft;
  readonly takesCode: boolean;
  /** The slot that customers mean by the name of a field: what they call the code may be a list of them. */
  slotCalled(field: string): string;
  readonly questions: Readonly<Record<string, Question<Draft> | undefined>>;
  missing(draft: Draft): string | undefined;
  reads(draft: Draft, scope: Scope): Effect | undefined;
  complete(state: ConversationState, scope: Scope): Decision;
  join(state: ConversationState, said: Draft, scope: Scope): Joined<Draft>;
  noted(said: Draft, draft: Draft): Reply | undefined;
  read(utterance: Utterance, scope: Scope): Draft;
  isWished(utterance: Utterance, scope: Scope): boolean;
  misread(utterance: Utterance, slots: Draft, scope: Scope): Line | undefined;
  shortcut(value: string): Draft | undefined;
  shortcuts(state: ConversationState, balance: number | undefined, scope: Scope): readonly Choice[];
  pressed(
    state: ConversationState,
    choice: { readonly name: string; readonly value: string },
    scope: Scope,
  ): Decision | undefined;
  said(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined;
  /** Undefined where it offers no form. */
  form(draft: Draft): Field[] | undefined;
  readonly hasForm: boolean;
  outcome(state: ConversationState, outcome: Outcome, scope: Scope): Decision | undefined;
  readonly confirmation?: Confirmation<Draft> | undefined;
};

/** Throws where this is no draft of this flow. */
export function checkDraft({ schema }: Flow, draft: unknown): asserts draft is Draft {
  schema.parse(draft);
}

/** The flows of a conversation, in the order of the menu. */
export type Flows = {
  readonly all: readonly Flow[];
  get(name: string | undefined): Flow | undefined;
  /** The flow whose confirmations make operations of this kind. */
  confirming(kind: Operation['kind']): Flow | undefined;
  /** The flow that a code out of the blue begins. */
  claiming(code: string, scope: Scope): Flow | undefined;
  /** The flow that offers a form. */
  readonly form: Flow | undefined;
  /** The flow that a deep link begins. */
  readonly linked: Flow | undefined;
};

export function createFlows(all: readonly Flow[]): Flows {
  const byName = new Map(all.map((flow) => [flow.name, flow] as const));
  if (byName.size < all.length) throw new Error('two flows have the same name');
  const byPriority = [...all].sort((a, b) => b.priority - a.priority);
  return {
    all,
    get: (name) => (name === undefined ? undefined : byName.get(name)),
    confirming: (kind) => all.find(({ confirmation }) => confirmation?.kind === kind),
    claiming: (code, scope) => byPriority.find((flow) => flow.claimsCode?.(code, scope)),
    form: all.find(({ hasForm }) => hasForm),
    linked: all.find(({ claimsLink }) => claimsLink),
  };
}
