import type { CodeRef, CommandOf } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import { isOneTypo } from '../language/tokenizer.ts';
import { codeLines, leaveConsent } from '../prompts.ts';
import { CANCEL, type Decision, type Reply, removals, say } from '../reply.ts';
import { type State, type Step, withoutOffer } from '../state.ts';
import { codeMeant, isAlike, SURE_LENGTH } from '../values/code.ts';
import { ask } from './advance.ts';
import { cancel, notUnderstood } from './digressions.ts';
import { beginFlow } from './slots.ts';
import { advanceBy, doubt, flowOf, type Reduced, setSlots, type Turn, type TurnScope } from './turn.ts';

/*
 * The codes at hand, as the commands of a message change them.
 */

type Codes = readonly string[];

/** Changes the codes at hand; without a flow that takes codes, the one that does begins by them. */
export function changeCodes(turn: Turn, command: ListCommand, scope: TurnScope): Reduced {
  const running = flowOf(turn, scope);
  const taking = running?.slots.includes('codes') ? running : scope.flows.ofCodes;
  const isNew = command.do === 'add' || command.do === 'replace';
  // "Bỏ" where there is no list to take from.
  if (!taking || (!isNew && taking !== running))
    return running ? notUnderstood(turn, scope) : cancel(leaveConsent(turn.state, scope), scope);
  const begun = taking === running ? turn : beginFlow(turn, taking, scope);
  if ('replies' in begun) return begun;
  const { step, draft } = begun.state;
  const { codes = [] } = draft;
  const offered = slipAsked(step);
  const isEditing = step.at === 'asking' && step.slot === 'codes' && step.editing === true;
  const isCorrected = isEditing && !offered && codes.length === 1;
  const change = changeList(isCorrected && command.do === 'add' ? [] : codes, command, offered);
  if (change.told.some(({ key }) => key === 'codes.which')) return askWhich(begun.state, codes, scope);
  const [meant] = change.fresh;
  const typed = offered ? undefined : retypedCode(command, codes, scope);
  const slip = typed !== undefined && meant !== undefined ? { typed, meant } : undefined;
  return takeList(begun, { before: codes, change, slip, flow: taking }, scope);
}

/** Asks which code is to go: its button, or its name, says it. */
function askWhich(state: State, codes: Codes, { ids }: Scope): Decision {
  const view = state.view ?? ids.view;
  const choices = [...removals(codes), CANCEL];
  return say({ ...state, view }, { key: 'codes.which', choices, asks: 'code', view });
}

/** The code at hand that may have been typed once more: it is short, or has a letter too many or too few. */
function retypedCode(command: ListCommand, codes: Codes, { found, commands }: TurnScope): string | undefined {
  const [code = '', ...more] = command.do === 'add' ? command.codes : [];
  const isBare = code !== '' && more.length === 0 && commands.length === 1 && !codes.includes(code);
  if (!isBare || found.step.at === 'idle') return undefined;
  const [short = '', ...others] = codes;
  const isShort = short !== '' && others.length === 0 && short.length < SURE_LENGTH;
  // A short code that is followed by another may have been a slip.
  if (isShort && found.step.at === 'asking') return short;
  return codes.find((known) => known.length !== code.length && isOneTypo(known, code));
}

type NewList = {
  readonly before: Codes;
  readonly change: Change;
  readonly flow: Flow;
  readonly slip?: Slip | undefined;
};

/** The flow goes on with the new list, unless a code of it is to be asked about. */
function takeList(turn: Turn, { before, change, flow, slip }: NewList, scope: TurnScope): Turn {
  const { codes, fresh, told } = change;
  const offered = slipAsked(turn.state.step);
  const isOver = offered !== undefined && !codes.includes(offered.typed);
  const suspects = isOver ? [...fresh, ...codesBehind(before, offered.typed)] : fresh;
  const isAsked = offered && !isOver;
  const found = slip ?? (isAsked ? undefined : slipIn(codes, suspects, scope.settings.codePrefixes));
  const state = isOver ? withoutOffer(turn.state) : turn.state;
  const set = setSlots({ ...turn, state }, { codes: codes.length > 0 ? [...codes] : undefined }, scope);
  const next = advanceBy({ ...set, said: [...turn.said, ...told] }, flow, {
    noted: codes.length > 0 ? 'codes' : 'other',
  });
  if (!found) return next;
  return doubt(next, flow, { slot: 'codes', offer: { why: 'code', meant: found.meant, typed: found.typed } });
}

/** The code that is asked about. */
function slipAsked(step: Step): Slip | undefined {
  const offer = step.at === 'asking' ? step.offer : undefined;
  return offer?.why === 'code' ? { typed: offer.typed ?? '', meant: offer.meant } : undefined;
}

/** The codes behind one of a list: none of them was asked about yet. */
const codesBehind = (codes: Codes, code: string): Codes => codes.slice(codes.indexOf(code) + 1);

/** The code that is asked about is taken as it was meant, kept as it was typed, or asked for anew. */
export function decideCode(
  turn: Turn,
  flow: Flow,
  choice: 'use' | 'keep' | 'other',
  scope: TurnScope,
): Reduced {
  const { typed, meant } = slipAsked(turn.state.step) ?? { typed: '', meant: '' };
  const { codes = [] } = turn.state.draft;
  const before = codes.includes(typed) ? codes : [...codes, typed];
  const rest = codesBehind(before, typed);
  const decided = { ...turn, state: withoutOffer(turn.state) };
  if (choice === 'use') {
    const change = { codes: replaceCodes(before, [typed], [meant]), fresh: [meant, ...rest], told: [] };
    return takeList(decided, { before, change, flow }, scope);
  }
  if (choice === 'keep' && !typed.includes(' '))
    return takeList(decided, { before, change: { codes: before, fresh: rest, told: [] }, flow }, scope);
  const left = before.filter((code) => code !== typed);
  const { state } = setSlots(decided, { codes: left.length > 0 ? left : undefined }, scope);
  return ask(state, flow, 'codes', scope);
}

/*
 * The one list that there is: the codes that are to be confirmed together. A code that was said is in it, or it is told why
 * not.
 */

/** So many codes are confirmed at once, at most. */
const MOST_CODES = 10;

/** What a command makes of the list: the codes, those that are new, and what is told of it. */
export type Change = { readonly codes: Codes; readonly fresh: Codes; readonly told: readonly Reply[] };

/** A code that was probably meant otherwise. */
export type Slip = { readonly typed: string; readonly meant: string };

export type ListCommand = CommandOf<'add' | 'remove' | 'keepOnly' | 'replace'>;

/** `offered`: the code that is just asked about. */
function changeList(codes: Codes, command: ListCommand, offered: Slip | undefined): Change {
  switch (command.do) {
    case 'add':
      // What was meant is typed instead of pressed.
      return offered && command.codes.includes(offered.meant)
        ? replaced(codes, [offered.typed], command.codes)
        : added(codes, command.codes);
    case 'remove':
    case 'keepOnly':
      return removed(codes, command);
    case 'replace': {
      const fresh = command.codes.filter((code) => !codes.includes(code));
      const wrong = [
        sort(codes, command.old).found,
        offered === undefined ? [] : [offered.typed],
        codes.length === 1 ? codes : nearest(codes, fresh),
      ];
      return replaced(codes, wrong.find((some) => some.length > 0) ?? [], fresh);
    }
  }
}

/** More codes behind those that are there, each once; says which are too many. */
function added(codes: Codes, said: Codes): Change {
  const all = [...new Set([...codes, ...said])];
  const left = all.slice(MOST_CODES);
  const kept = all.slice(0, MOST_CODES);
  const params = { most: MOST_CODES, codes: list(left) };
  const told: Reply[] = left.length > 0 ? [{ key: 'codes.tooMany', params }] : [];
  return { codes: kept, fresh: kept.slice(codes.length), told };
}

/** As many as a message can name. */
const list = (codes: Codes): string =>
  codes.length > 20 ? `${codes.slice(0, 20).join(', ')}, …` : codes.join(', ');

/** The codes that are kept now, one a line. */
export function keptLine(codes: Codes): Reply {
  return { key: 'codes.kept', params: { count: codes.length, most: MOST_CODES }, lines: codeLines(codes) };
}

/**
 * The first of some codes of a list that was probably meant otherwise: a known beginning says so, or it is the same as one
 * before it but for capitals and their like. Two such codes may be two or one that was typed twice; only the customer knows.
 */
function slipIn(codes: Codes, suspects: Codes, beginnings: Codes): Slip | undefined {
  for (const [at, typed] of codes.entries()) {
    if (!suspects.includes(typed)) continue;
    const meant = codeMeant(typed, beginnings) ?? codes.slice(0, at).find((one) => isAlike(one, typed));
    if (meant !== undefined) return { typed, meant };
  }
  return undefined;
}

/** Some in the place of others, each once. */
function replaceCodes(codes: Codes, old: Codes, said: Codes): Codes {
  const [first] = codes.filter((code) => old.includes(code));
  const all = codes.flatMap((code) => (code === first ? said : old.includes(code) ? [] : [code]));
  return [...new Set(all)];
}

/** Which codes are meant, by themselves, by their place or by how they end; what is named and not there, or unclear. */
function sort(codes: Codes, which: readonly CodeRef[]) {
  const meant = which.map((ref) => ({ name: nameOf(ref), codes: meantBy(codes, ref) }));
  const isOne = ({ name, codes: found }: (typeof meant)[number]) => name === undefined || found.length === 1;
  const found = meant.flatMap((one) => (isOne(one) ? one.codes : []));
  return {
    found: codes.filter((code) => found.includes(code)),
    missing: meant.flatMap(({ name, codes }) => (codes.length === 0 && name !== undefined ? [name] : [])),
    isUnclear: meant.some(({ name, codes }) => name !== undefined && codes.length > 1),
  };
}

/** How a code is called where it is told that there is none such; a place from the end or "all" is never missing. */
function nameOf(ref: CodeRef): string | undefined {
  if ('place' in ref) return ref.place > 0 ? String(ref.place) : undefined;
  return 'code' in ref ? ref.code : ref.end;
}

function meantBy(codes: Codes, ref: CodeRef): Codes {
  if ('place' in ref) {
    if (ref.place === 0) return codes;
    const code = codes.at(ref.place > 0 ? ref.place - 1 : ref.place);
    return code === undefined ? [] : [code];
  }
  const end = 'code' in ref ? ref.code : ref.end;
  if (codes.includes(end)) return [end];
  return codes.filter((code) => code.toUpperCase().endsWith(end.toUpperCase()));
}

function removed(codes: Codes, { do: way, which }: Extract<ListCommand, { which: unknown }>): Change {
  const { found, missing, isUnclear } = sort(codes, which);
  const told: Reply[] = missing.length > 0 ? [{ key: 'codes.missing', params: { code: list(missing) } }] : [];
  const isOnly = missing.length === 0 && codes.length === 1;
  const named = way === 'keepOnly' ? codes.filter((code) => !found.includes(code)) : found;
  const gone = isUnclear ? [] : found.length > 0 ? named : isOnly ? codes : [];
  const left = codes.filter((code) => !gone.includes(code));
  if (gone.length > 0) told.unshift({ key: 'codes.removed', params: { code: list(gone) } });
  else if (isUnclear || (found.length === 0 && missing.length === 0)) told.push({ key: 'codes.which' });
  return { codes: left, fresh: [], told };
}

/** New codes take the place of the wrong ones; where nothing tells which these are, they stand beside them. */
function replaced(codes: Codes, gone: Codes, fresh: Codes): Change {
  const isBeside = gone.length === 0;
  const all = added(isBeside ? codes : replaceCodes(codes, gone, fresh), isBeside ? fresh : []);
  const told: Reply = isBeside
    ? { key: 'codes.beside', params: { code: list(fresh) } }
    : { key: 'codes.replaced', params: { from: list(gone), to: list(fresh) } };
  return { codes: all.codes, fresh, told: [...all.told, told] };
}

/** The only code that nearly is the new one. */
function nearest(codes: Codes, [fresh = '']: Codes): Codes {
  const near = codes.filter((code) => isOneTypo(code, fresh) || isAlike(code, fresh));
  return near.length === 1 ? near : [];
}
