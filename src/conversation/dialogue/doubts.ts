import type { Flow } from '../flow.ts';
import { showPhone } from '../prompts/format.ts';
import { CANCEL, type Choice, choice, type Reply } from '../reply.ts';
import { type Asking, dropOffer, type Offer, type State } from '../state.ts';
import { completeNumber, isGuessedCode, suggestCode } from '../values/code.ts';

/*
 * Values in doubt. One is asked about at a time; the others wait in the draft, so that none is lost.
 */

type DoubtedSlot = 'codes' | 'phone' | 'email';

/** The slot that a value in doubt is for. */
export function findDoubtedSlot({ why, meant }: Offer): DoubtedSlot {
  switch (why) {
    case 'code':
      return 'codes';
    case 'typo':
      return 'email';
    case 'mapped':
    case 'leadingZero':
      return 'phone';
    case 'spoken':
    case 'several':
      return meant.includes('@') ? 'email' : meant.startsWith('+') ? 'phone' : 'codes';
  }
}

/** Only a button takes these: the bot put the value together itself, or does not know which one is meant. */
export const isButtonOnly = ({ why, options }: Offer): boolean =>
  why === 'spoken' || why === 'several' || options !== undefined;

/** Whether what was typed is a value that may be kept. A phone number in doubt cannot be called. */
export const mayKeep = (offer: Offer): boolean =>
  offer.typed !== undefined && findDoubtedSlot(offer) !== 'phone' && !isGuessedCode(offer.typed);

/** The codes that nearly begin like the codes of the operator, probably typing errors; and guesses. */
export function findSlips(codes: readonly string[], prefixes: readonly string[]): readonly Offer[] {
  return codes.flatMap((typed): readonly Offer[] => {
    const options = completeNumber(typed, prefixes);
    const [first] = options;
    if (first !== undefined) return [{ why: 'code', typed, meant: first, options: [...options] }];
    const likelyCode = suggestCode(typed, prefixes);
    return likelyCode === undefined
      ? []
      : [{ why: isGuessedCode(typed) ? 'spoken' : 'code', typed, meant: likelyCode }];
  });
}

/** The state with doubts that wait for their turn. */
export function addDoubts(state: State, added: readonly Offer[]): State {
  if (added.length === 0) return state;
  const { doubts = [] } = state.draft;
  const isNew = (offer: Offer) => !added.some(({ meant }) => meant === offer.meant);
  return { ...state, draft: { ...state.draft, doubts: [...doubts.filter(isNew), ...added] } };
}

/** The state without the doubts of a slot: it has a value now. */
export function dropDoubts(state: State, slot: DoubtedSlot): State {
  const { offer } = state.step.at === 'asking' ? state.step : {};
  if (!offer && !state.draft.doubts) return state;
  const settled = offer && findDoubtedSlot(offer) === slot ? dropOffer(state) : state;
  return keepDoubts(settled, (doubt) => findDoubtedSlot(doubt) !== slot);
}

type FlowDoubts = { readonly flow: Flow; readonly beginnings: readonly string[] };
type TakenDoubt = { readonly state: State; readonly doubt?: Offer };

/** The next doubt of a flow, and the state without it. Each guessed code is in doubt. */
export function takeDoubt(before: State, { flow, beginnings }: FlowDoubts): TakenDoubt {
  const { codes = [], doubts: known = [] } = before.draft;
  if (known.length === 0 && !codes.some(isGuessedCode)) return { state: before };
  const isNew = (code: string) => isGuessedCode(code) && !known.some(({ typed }) => typed === code);
  const state = addDoubts(before, findSlips(codes.filter(isNew), beginnings));
  const { doubts = [] } = state.draft;
  const isOpen = (offer: Offer) => {
    const isListed = offer.typed !== undefined && codes.includes(offer.typed);
    return findDoubtedSlot(offer) !== 'codes' || isListed;
  };
  const doubt = doubts.find((offer) => isOpen(offer) && isAskedIn(offer, flow));
  const left = keepDoubts(state, (offer) => offer !== doubt && isOpen(offer));
  return doubt ? { state: left, doubt } : { state: left };
}

/** A flow that must be proved takes an e-mail in place of a phone. */
function isAskedIn(offer: Offer, { slots, identity }: Flow): boolean {
  const slot = findDoubtedSlot(offer);
  return slots.includes(slot) || (slot === 'email' && identity === 'proved');
}

function keepDoubts(state: State, isKept: (offer: Offer) => boolean): State {
  const { doubts = [], ...draft } = state.draft;
  if (doubts.length === 0) return state;
  const kept = doubts.filter(isKept);
  return { ...state, draft: kept.length > 0 ? { ...draft, doubts: kept } : draft };
}

type DoubtQuestion = { readonly step: Asking; readonly offer: Offer; readonly takesPhone: boolean };

/** The question about a value in doubt. `takesPhone`: only a phone answers it otherwise. */
export function askDoubt({ step, offer, takesPhone }: DoubtQuestion): Reply {
  const { why, meant, typed } = offer;
  const choices = [...doubtChoices(offer), CANCEL];
  switch (findDoubtedSlot(offer)) {
    case 'phone':
      return { key: `phone.${why}`, params: { phone: showPhone(meant) }, choices, asks: 'phone' };
    case 'codes':
      return {
        key: 'code.offer',
        context: offer.options ? 'number' : why === 'spoken' ? why : undefined,
        params: { typed: typed ?? '', code: meant },
        choices,
        asks: 'code',
      };
    case 'email': {
      const asks = step.slot === 'email' || !takesPhone ? 'email' : 'phone';
      const context = isButtonOnly(offer) ? why : undefined;
      return { key: 'email.typo', context, params: { email: meant }, choices, asks };
    }
  }
}

function doubtChoices(offer: Offer): readonly Choice[] {
  const slot = findDoubtedSlot(offer);
  const { options } = offer;
  if (options) {
    const several = options.map((value, at) => {
      const shown = slot === 'phone' ? showPhone(value) : value;
      return choice(`use:${at + 1}`, { key: 'choice.useThis', params: { value: shown } });
    });
    return slot === 'codes' ? [...several, choice('keep')] : several;
  }
  if (mayKeep(offer)) return [choice('use'), choice('keep')];
  if (slot === 'phone') return [choice('use'), choice('other')];
  return offer.why === 'spoken' ? [choice('use'), choice('other', { context: slot })] : [choice('use')];
}
