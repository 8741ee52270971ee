import type { Flow, Scope } from '../flow.ts';
import { isOneTypo } from '../language/tokenizer.ts';
import { CANCEL, type Decision, removals, say } from '../reply.ts';
import type { State, Step } from '../state.ts';
import { SURE_LENGTH } from '../values/code.ts';
import { ask } from './advance.ts';
import { type Change, changeList, type ListCommand, replaceCodes, type Slip, slipIn } from './code-list.ts';
import { leaveConsent } from './consent.ts';
import { cancel, notUnderstood } from './digressions.ts';
import { beginFlow } from './starts.ts';
import {
  advanceBy,
  doubt,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
  withoutOffer,
} from './turn.ts';

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

/** The code at hand that another one may have been typed for once more: it is too short, or has a letter too many or too few. */
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
