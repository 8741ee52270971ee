import type { Command } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { type About, KINDS, PROOF, same } from '../kinds.ts';
import { LOCALES } from '../message.ts';
import { given, identityLines, isProofAsked, isStaff, provedIn, whose } from '../prompts/identity.ts';
import { codeLine, giftOf, pickUpLines, receiptLines, shown } from '../prompts/receipts.ts';
import { type Choice, choice, type Decision, type Line, type Reply, say, withLast } from '../reply.ts';
import { isOpen, newState, type Operation, type State, takenTicket } from '../state.ts';
import { confirmationOf, operationsOf } from './operations.ts';
import { erasedTickets, personChoice, supportLines } from './person.ts';
import { aside, home, otherPhone, pressed, question, viewed } from './questions.ts';

/*
 * What is answered beside the work: what was being asked is asked again, and nothing is lost.
 */

/** What is said beside; `question`: the customer asked something (`Decision.question`). */
export type Aside = {
  readonly reply: Reply;
  readonly question?: Decision['question'];
  /** Buttons of what it may have been. */
  readonly offered?: readonly Choice[];
};

/** That no person answers, what can be done here, and how to reach a person. */
export function welcome(state: State, scope: Scope): Decision {
  const contact = scope.settings.supportContact;
  const who: Line =
    contact && !scope.settings.handover
      ? { key: 'welcome.assistant', params: { contact } }
      : { key: 'welcome.assistant', context: 'none' };
  const welcomed = home(state, scope, { key: 'welcome', lines: [who] });
  const { choices = [] } = welcomed.replies.at(-1) ?? {};
  return withLast(welcomed, { choices: [...choices, ...personChoice(scope)] });
}

/** What I can do and who can help; while a person answers, what is not for them. */
export function help(state: State, scope: Scope): Reply {
  if (takenTicket(state)) return { key: 'help', context: 'person' };
  const flows = scope.flows.all.map(({ name }) => ({ key: `help.${name}` }));
  return { key: 'help', lines: [...flows, { key: 'help.more' }, ...supportLines(scope)] };
}

/** Ends what was begun. What was proved for it needs no second proof, unless its customer wants nothing remembered. */
export function cancel(state: State, scope: Scope): Decision {
  if (state.step.at === 'idle') return home(state, scope, { key: 'cancel.nothing' });
  const isOver = state.consent?.given === false || isStaff(scope);
  const draft = isOver ? {} : provedIn(state.draft);
  return home({ ...state, step: { at: 'idle' }, draft }, scope, { key: 'cancel.done' });
}

/** Asks which language; the question that was live stays so: choosing one is no answer to it. */
export function languages(state: State, scope: Scope): Decision {
  const live = viewed(state, scope);
  const choices = LOCALES.map((locale) => choice(`language:${locale}`));
  return say(live, { key: 'language.ask', choices, asks: 'menu', view: live.view });
}

/** What only the shop knows: whom to ask goes with it, unless the operator has written an answer. */
const WITH_CONTACT: ReadonlySet<string> = new Set([
  'answer.gift.where',
  'answer.gift.refused',
  'answer.points.missing',
  'answer.undo',
  'answer.hours',
]);

/** Answers a question, by the key of its answer: in the operator's words, or those of the wording. */
export function answer(state: State, key: string, scope: Scope): Aside {
  const id = idOf(key);
  const pickUp = key === 'answer.gift.where' ? pickUpLine(state, scope) : undefined;
  const operators = scope.answers.get(id);
  const last = key === 'answer.undo' ? state.operations.at(-1)?.id : undefined;
  const context = last ? 'reference' : key === 'answer.proof.why' ? whose(scope) : undefined;
  const known = { key, context, ...(last && { params: { reference: confirmationOf(last) } }) };
  const text = pickUp ?? operators ?? known;
  const lines = !pickUp && !operators && WITH_CONTACT.has(key) ? supportLines(scope) : [];
  return { reply: { key: 'answer', params: { text }, lines }, question: { answer: id } };
}

const idOf = (key: string): string => key.slice('answer.'.length);

/** Where to get the gift at hand, or the last one that was redeemed: the list may tell. */
function pickUpLine({ draft, operations }: State, scope: Scope): Line | undefined {
  const redeemed = operations.findLast(({ status, gift }) => status === 'done' && gift !== undefined);
  const gift = giftOf(draft.code, scope) ?? giftOf(redeemed?.gift, scope);
  return gift && pickUpLines(gift)[0];
}

/** Explains the live question or, where nothing is asked, what can be done here. */
export function explain(state: State, scope: Scope): Aside {
  const about = aboutQuestion(state, scope);
  return about ? answer(state, about.what, scope) : { reply: help(state, scope) };
}

/** Answers as it is meant at this question. */
export function asked(state: State, command: Extract<Command, { do: 'ask' }>, scope: Scope): Aside {
  switch (command.about) {
    case 'what':
      return explain(state, scope);
    case 'wrong': {
      // Where no value is asked for: why an operation was refused.
      const last = state.operations.at(-1);
      const isOver = state.step.at !== 'asking' && state.step.at !== 'confirming';
      const refused = isOver && last?.status === 'refused' ? REFUSED[last.kind] : undefined;
      return answer(state, refused ?? aboutQuestion(state, scope)?.wrong ?? REFUSED.accumulate, scope);
    }
    case 'gift': {
      const gift = giftOf(command.gift, scope);
      const params = gift && { gift: gift.name, score: gift.score };
      const text: Line = params ? { key: 'answer.gift.costs', params } : { key: 'answer.gift.price' };
      return { reply: { key: 'answer', params: { text } }, question: { answer: idOf('answer.gift.price') } };
    }
    case 'unknown': {
      const unknown: Reply = { key: 'unsure', context: 'question', lines: supportLines(scope) };
      return { reply: isStruck(state) ? struck(scope) : unknown, question: {} };
    }
    case 'answer': {
      const key = `answer.${command.id}`;
      const isProof = key === KINDS.phone.about.what && aboutQuestion(state, scope) === PROOF;
      return isProof ? explain(state, scope) : answer(state, key, scope);
    }
  }
}

const REFUSED: Readonly<Record<Operation['kind'], string>> = {
  accumulate: 'answer.code.wrong',
  redeem: 'answer.gift.refused',
};

/** What explains the live question; undefined where nothing is asked, or the question says all there is to say. */
export function aboutQuestion(state: State, scope: Scope): About | undefined {
  const { step } = state;
  if (step.at === 'confirming') return same('answer.confirm.what');
  if (step.at === 'consenting')
    return same(otherPhone(state) === undefined ? 'answer.consent.what' : 'answer.consent.other');
  if (step.at !== 'asking') return undefined;
  if (step.offer?.why === 'typo') return KINDS.email.about;
  const isProof = scope.flows.get(step.flow)?.identity === 'proved' && isProofAsked(scope);
  return step.slot === 'phone' && isProof ? PROOF : KINDS[step.slot].about;
}

/** Not understood twice in a row: never answered by the same words. */
const isStruck = ({ misses = 0 }: State): boolean => misses > 0 && misses % 2 === 0;

/** That a person may help: one is offered where there are some. */
const struck = (scope: Scope): Reply => ({
  ...(scope.settings.handover ? { key: 'person.offer' } : { key: 'unsure', context: 'again' }),
  lines: supportLines(scope),
});

/** Not understood. What it may have been is offered; the second time in a row says something else, and whom to ask. */
export function unsure(
  state: State,
  { maybe = [] }: Extract<Command, { do: 'unclear' }>,
  scope: Scope,
): Aside {
  const offered = maybe.flatMap((one) => buttonFor(one, state, scope) ?? []).slice(0, 2);
  if (isStruck(state)) return { reply: struck(scope), offered };
  const context = offered.length > 0 ? 'maybe' : undefined;
  const isSummary = state.step.at === 'confirming' && context === undefined;
  const lines = isSummary || context === 'maybe' ? {} : { lines: supportLines(scope) };
  return { reply: { key: isSummary ? 'unsure.confirm' : 'unsure', context, ...lines }, offered };
}

/** The button that says the same as a command where the conversation is; undefined: none does. */
function buttonFor(command: Command, state: State, scope: Scope): Choice | undefined {
  const id = buttonOf(command, state, scope);
  if (id === undefined || pressed(state, id, scope).some((one) => one.do === 'expired')) return undefined;
  return question(state, scope).choices?.find((one) => one.id === id) ?? choice(id);
}

function buttonOf(command: Command, { step }: State, { flows }: Scope): string | undefined {
  switch (command.do) {
    case 'start':
      return command.flow;
    case 'kind':
      return `${flows.all.find(({ slots }) => slots.includes('list'))?.name}:${command.of}`;
    case 'change':
      return `edit:${command.field}`;
    case 'none':
      return 'skip';
    case 'page':
      return String(command.to);
    case 'speak':
      return `language:${command.locale}`;
    case 'cancel':
      return step.at === 'idle' ? undefined : 'cancel';
    default:
      return undefined;
  }
}

/** How an operation stands, by its reference or the last one; of several codes, each. */
export function status(state: State, scope: Scope, reference?: string): Reply {
  const all = operationsOf(state, reference);
  const [operation] = all;
  if (!operation) return { key: 'operation.none' };
  const { id, kind, status, atMs: at } = operation;
  const what = { key: `operation.kind.${kind}` };
  const key = 'operation.status';
  if (all.length > 1) {
    const params = { reference: confirmationOf(id), what, at };
    return { key, context: 'several', params, lines: all.map(codeLine) };
  }
  const params = { reference: id, what, at };
  return { key, context: shown(status), params, lines: receiptLines(operation, scope) };
}

/** What is kept about the customer now, for the running flow too, and the button that erases it; nothing is changed. */
export function privacy(state: State, isErasing: boolean, scope: Scope): Decision {
  const { operations, tickets = [], unclear = [], consent, profile, draft } = state;
  const counted = [
    { key: 'privacy.recent', params: { recent: operations.filter((one) => !isOpen(one)).length } },
    { key: 'privacy.person', params: { written: tickets.flatMap(({ notes }) => notes).length } },
    { key: 'privacy.unclear', params: { unclear: unclear.length } },
  ].filter(({ params }) => Object.values(params).some((count) => count > 0));
  const kept: Line[] = [
    ...identityLines({ ...browsedBy(state), ...profile, ...given(draft) }, () => !isStaff(scope)),
    ...operations.filter(isOpen).map(({ id }) => ({ key: 'privacy.operation', params: { reference: id } })),
    ...counted,
  ];
  const since = consent?.given ? [{ key: 'privacy.since', params: { at: consent.atMs } }] : [];
  const isNothing = kept.length === 0 && since.length === 0 && !isErasing;
  const all = kept.length === 0 ? [{ key: 'privacy.nothing' }] : kept;
  const reply: Reply = {
    key: 'privacy.text',
    context: whose(scope),
    lines: [...all, ...since, ...supportLines(scope)],
  };
  // There is nothing to erase.
  if (isNothing) return aside(state, scope, reply);
  const live = viewed(state, scope);
  return say(live, { ...reply, choices: [choice('forget')], view: live.view });
}

/** The phone or e-mail that the pages shown belong to. */
function browsedBy({ step }: State): State['profile'] {
  if (step.at !== 'browsing') return {};
  const { kind, value } = step.page.by;
  return { [kind]: { value, proved: true } };
}

/**
 * Erases all but operations without an outcome, which stay until their result, the language, and how many codes
 * were refused: forgetting that would let anybody guess on.
 */
export function forget(state: State, scope: Scope): Decision {
  const { locale, textLocale, guesses } = state;
  const open = state.operations.filter(isOpen);
  const kept: State = {
    ...newState(scope.nowMs),
    operations: open,
    ...(locale && { locale }),
    ...(textLocale && { textLocale }),
    ...(guesses && { guesses }),
    ...erasedTickets(state, scope.nowMs),
  };
  const reply: Reply = { key: 'privacy.erased', context: open.length > 0 ? 'open' : undefined };
  return { ...home(kept, scope, reply), forget: true };
}
