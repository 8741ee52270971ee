import type { CodeRef, CommandOf } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import { codeLines } from '../prompts/receipts.ts';
import { CANCEL, type Decision, type Reply, removeChoices, say } from '../reply.ts';
import { MOST_CODES } from '../slots.ts';
import { dropOffer, type Offer, type State, type Step } from '../state.ts';
import { hasBeginning, isArticleNumber, isGuessedCode, suggestCode } from '../values/code.ts';
import { sayFault, sayNotUnderstood } from './digressions.ts';
import { addDoubts, findDoubtedSlot, findSlips } from './doubts.ts';
import { parkCodes } from './parking.ts';
import { askStep, ensureView, goHome, slotStep } from './questions.ts';
import { findFlow, type Reduction, type Round, setSlots } from './round.ts';
import { beginFlow } from './slots.ts';

/*
 * The list of codes that are confirmed together. Every code that the customer names is in it, or the reply
 * says why not.
 */

type Codes = readonly string[];

type ListChange = { readonly codes: Codes; readonly fresh: Codes; readonly replies: readonly Reply[] };

type ListCommand = CommandOf<'add' | 'remove' | 'keepOnly' | 'replace'>;

/**
 * Changes the list of codes. If no flow takes codes, a code begins the one that does. The bar code of a
 * product is no code: every box has the same.
 */
export function changeCodes(before: Round, command: ListCommand): Reduction {
  if (command.do !== 'add') return changeBy(before, command);
  const passed: readonly Reply[] = command.others
    ? [{ key: 'codes.others', params: { codes: join(command.others) } }]
    : [];
  const round = { ...before, remarks: [...before.remarks, ...passed] };
  const { codePrefixes } = round.scope.settings;
  const isCodeAsked = round.state.step.at === 'asking' && round.state.step.slot === 'codes';
  if (isCodeAsked && command.codes.every((code) => isFragment(code, codePrefixes)))
    return sayFault(round, { kind: 'codes', reason: 'code.shape' });
  const codes = command.codes.filter((code) => !isArticleNumber(code, codePrefixes));
  if (codes.length === command.codes.length) return changeBy(round, command);
  const fault = { kind: 'codes', reason: 'code.article' } as const;
  if (codes.length > 0) {
    const warned = { ...round, remarks: [...round.remarks, { key: fault.reason }] };
    return changeBy(warned, { ...command, codes });
  }
  const { codeFlow } = round.scope.flows;
  const begun = findFlow(round) || !codeFlow ? round : beginFlow(round, codeFlow);
  return 'replies' in begun ? begun : sayFault(begun, fault);
}

/**
 * A few digits by themselves, where codes have known beginnings: a part of a phone or of a code ("0867"),
 * which would count as a wrong code.
 */
const isFragment = (code: string, beginnings: Codes): boolean =>
  beginnings.length > 0 && /^\d{1,7}$/.test(code) && !hasBeginning(code, beginnings);

function changeBy(round: Round, command: ListCommand): Reduction {
  const { scope } = round;
  const running = findFlow(round);
  const flow = running?.slots.includes('codes') ? running : scope.flows.codeFlow;
  if (command.do === 'add' && command.kept && flow !== running) {
    const codes = command.codes.filter((code) => !hasEarned(round.state, code));
    if (codes.length === 0) return round;
    const { codePrefixes } = scope.settings;
    const products = codes.filter((code) => hasBeginning(code, codePrefixes));
    // The menu has a button that goes on with them.
    const isShown = running === undefined || products.length === 0;
    const kept: readonly Reply[] = isShown ? [] : [{ key: 'codes.parked', params: { code: join(products) } }];
    return { ...round, state: parkCodes(round.state, codes, scope), remarks: [...round.remarks, ...kept] };
  }
  const isNew = command.do === 'add' || command.do === 'replace';
  if (!flow || (!isNew && flow !== running))
    return running ? sayNotUnderstood(round) : goHome(round.state, scope, { key: 'cancel.nothing' });
  const begun = flow === running ? round : beginFlow(round, flow);
  if ('replies' in begun) return begun;
  const { step, draft } = begun.state;
  const { codes = [] } = draft;
  const correction = findCorrection(codes, command, scope.settings.codePrefixes);
  if (correction) return { ...begun, state: addDoubts(begun.state, [correction]), flow };
  const offered = findAskedCode(step);
  const isEditing = step.at === 'asking' && step.slot === 'codes' && step.editing === true;
  const isCorrected = isEditing && !offered && codes.length === 1 && command.do === 'add';
  const changed = changeList(isCorrected ? [] : codes, command, offered);
  const change = command.do === 'add' && command.kept ? tellAdded(changed, codes) : changed;
  if (change.replies.some(({ key }) => key === 'codes.which')) return askWhich(begun.state, scope);
  return takeList(begun, flow, change);
}

/** Whether a code is known to have earned. Only of several codes at once is that kept. */
const hasEarned = ({ operations }: State, code: string): boolean =>
  operations.some((operation) => operation.status === 'done' && operation.code === code);

/** Says which codes join the list: the text only mentions them. */
function tellAdded(change: ListChange, codes: Codes): ListChange {
  const { fresh, replies } = change;
  if (codes.length === 0 || fresh.length === 0) return change;
  return { ...change, replies: [...replies, { key: 'codes.beside', params: { code: join(fresh) } }] };
}

/** A guess in the place of a listed code: that one stays until the customer has agreed. */
function findCorrection(codes: Codes, command: ListCommand, prefixes: Codes): Offer | undefined {
  if (command.do !== 'replace') return undefined;
  const [typed, ...others] = findCodes(codes, command.old).found;
  const [guess = '', ...more] = command.codes;
  if (typed === undefined || others.length + more.length > 0 || !isGuessedCode(guess)) return undefined;
  return { why: 'spoken', typed, meant: suggestCode(guess, prefixes) ?? guess };
}

/** Asks which code is to go, or to be changed, with a button for each. */
export function askWhich(state: State, scope: Scope, context?: 'edit'): Decision {
  const live = ensureView(state, scope);
  const choices = [...removeChoices(state.draft.codes ?? []), CANCEL];
  return say(live, { key: 'codes.which', context, choices, asks: 'code', view: live.view });
}

function takeList(round: Round, flow: Flow, { codes, fresh, replies }: ListChange): Round {
  const { state, scope } = round;
  const offered = findAskedCode(state.step);
  const isAsked = offered === undefined || codes.includes(offered.typed ?? '');
  const left = {
    ...round,
    state: isAsked ? state : dropOffer(state),
    remarks: [...round.remarks, ...replies],
  };
  const next = { ...setSlots(left, { codes: codes.length > 0 ? [...codes] : undefined }), flow };
  return { ...next, state: addDoubts(next.state, findSlips(fresh, scope.settings.codePrefixes)) };
}

/** The code that the current question is about. */
function findAskedCode(step: Step): Offer | undefined {
  const offer = step.at === 'asking' ? step.offer : undefined;
  return offer && findDoubtedSlot(offer) === 'codes' ? offer : undefined;
}

/** Takes the code in doubt as it was meant. */
export function acceptCode(round: Round, { typed, meant }: Offer): Round {
  const { codes = [] } = round.state.draft;
  return setSlots(round, { codes: [...replaceIn(codes, [typed ?? ''], [meant])] });
}

/** Drops the code in doubt, and asks for another one. */
export function declineCode(round: Round, flow: Flow, { typed }: Offer): Reduction {
  const { codes = [] } = round.state.draft;
  const left = codes.filter((code) => code !== typed);
  const { state } = setSlots(round, { codes: left.length > 0 ? left : undefined });
  return askStep(state, slotStep(flow, 'codes'), round.scope);
}

/** `offered`: the code that the current question is about. */
function changeList(codes: Codes, command: ListCommand, offered: Offer | undefined): ListChange {
  const doubted = offered?.typed === undefined ? [] : [offered.typed];
  switch (command.do) {
    case 'add':
      return offered && command.codes.includes(offered.meant)
        ? replaceCodes(codes, doubted, command.codes)
        : addCodes(codes, command.codes);
    case 'remove':
    case 'keepOnly':
      return removeCodes(codes, command);
    case 'replace': {
      const fresh = command.codes.filter((code) => !codes.includes(code));
      const wrong = [findCodes(codes, command.old).found, doubted, codes.length === 1 ? codes : []];
      return replaceCodes(codes, wrong.find((some) => some.length > 0) ?? [], fresh);
    }
  }
}

function addCodes(codes: Codes, added: Codes): ListChange {
  const all = [...new Set([...codes, ...added])];
  const left = all.slice(MOST_CODES);
  const kept = all.slice(0, MOST_CODES);
  const params = { most: MOST_CODES, codes: join(left) };
  const replies: Reply[] = left.length > 0 ? [{ key: 'codes.tooMany', params }] : [];
  return { codes: kept, fresh: kept.slice(codes.length), replies };
}

/** The codes on one line: at most 20, so that they fit into a message. */
const join = (codes: Codes): string =>
  codes.length > 20 ? `${codes.slice(0, 20).join(', ')}, …` : codes.join(', ');

/** The codes that are kept now. */
export function listCodes(codes: Codes): Reply {
  return { key: 'codes.kept', params: { count: codes.length, most: MOST_CODES }, lines: codeLines(codes) };
}

function replaceIn(codes: Codes, old: Codes, fresh: Codes): Codes {
  const first = codes.find((code) => old.includes(code));
  const all = codes.flatMap((code) => (code === first ? fresh : old.includes(code) ? [] : [code]));
  return [...new Set(all)];
}

function findCodes(codes: Codes, which: readonly CodeRef[]) {
  const named = which.map((ref) => ({ name: nameCode(ref), matches: matchCodes(codes, ref) }));
  const found = named.flatMap(({ name, matches }) =>
    name === undefined || matches.length === 1 ? matches : [],
  );
  return {
    found: codes.filter((code) => found.includes(code)),
    missing: named.flatMap(({ name, matches }) => (matches.length === 0 && name !== undefined ? [name] : [])),
    isUnclear: named.some(({ name, matches }) => name !== undefined && matches.length > 1),
  };
}

/** How a reply names a missing code. A place from the end, or "all", is never missing. */
function nameCode(ref: CodeRef): string | undefined {
  if ('place' in ref) return ref.place > 0 ? String(ref.place) : undefined;
  return 'code' in ref ? ref.code : ref.end;
}

function matchCodes(codes: Codes, ref: CodeRef): Codes {
  if ('place' in ref) return ref.place > 0 ? codes.slice(ref.place - 1, ref.place) : codes.slice(ref.place);
  const end = 'code' in ref ? ref.code : ref.end;
  if (codes.includes(end)) return [end];
  const toPlain = (code: string) => code.replaceAll(' ', '').toUpperCase();
  return codes.filter((code) => toPlain(code).endsWith(toPlain(end)));
}

function removeCodes(codes: Codes, { do: way, which }: CommandOf<'remove' | 'keepOnly'>): ListChange {
  const { found, missing, isUnclear } = findCodes(codes, which);
  const replies: Reply[] =
    missing.length > 0 ? [{ key: 'codes.missing', params: { code: join(missing) } }] : [];
  const isOnly = missing.length === 0 && codes.length === 1;
  const named = way === 'keepOnly' ? codes.filter((code) => !found.includes(code)) : found;
  const gone = isUnclear ? [] : found.length > 0 ? named : isOnly ? codes : [];
  const left = codes.filter((code) => !gone.includes(code));
  if (gone.length > 0) replies.unshift({ key: 'codes.removed', params: { code: join(gone) } });
  else if (isUnclear || (found.length === 0 && missing.length === 0)) replies.push({ key: 'codes.which' });
  return { codes: left, fresh: [], replies };
}

function replaceCodes(codes: Codes, gone: Codes, fresh: Codes): ListChange {
  if (gone.length === 0) {
    const { replies, ...added } = addCodes(codes, fresh);
    return { ...added, fresh, replies: [...replies, { key: 'codes.beside', params: { code: join(fresh) } }] };
  }
  const replaced = addCodes(replaceIn(codes, gone, fresh), []);
  const params = { from: join(gone), to: join(fresh) };
  return { codes: replaced.codes, fresh, replies: [...replaced.replies, { key: 'codes.replaced', params }] };
}
