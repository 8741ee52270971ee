import type { Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Utterance } from '../language/understand.ts';
import type { ConversationState } from '../state.ts';
import { advance, edit, fill, take } from './form.ts';
import { giftsNamed, giftsWanted } from './gifts.ts';
import { answersTo } from './values.ts';

/*
 * Another gift, or another number of it, said in the middle of the flow that redeems it.
 */

/** The gift that is named, as a keyboard of words would send it, too; of several, one is asked for. */
export function pickGift(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const [gift, ...others] = giftsNamed(utterance, scope);
  if (gift === undefined) return undefined;
  const go = others.length === 0 ? take : fill;
  return go(state, flow, answersTo(flow, utterance, scope), scope);
}

/** Another gift than the one at hand: the one that is named or, for "đổi quà khác", the list again. */
export function changeGift(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { intent, code, phone, email } = utterance.understood;
  const isWish = intent === flow.name;
  if (intent !== undefined && !isWish) return undefined;
  const [gift, ...others] = giftsNamed(utterance, scope);
  if (gift !== undefined && (others.length > 0 || gift.code !== state.draft.code))
    return pickGift(state, flow, utterance, scope);
  if (gift !== undefined) return changeQuantity(state, flow, utterance, scope);
  const isOther = isWish && (code ?? phone ?? email) === undefined;
  return isOther ? edit(state, flow, 'code', scope) : undefined;
}

/** "2 cái nhé" at the summary; "1 cái thôi" stops nothing. */
export function changeQuantity(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const wanted = giftsWanted(utterance, scope);
  if (wanted === undefined || (wanted > 1 && utterance.understood.intent === 'cancel')) return undefined;
  return advance({ ...state, draft: { ...state.draft, wanted: severalOf(wanted) } }, flow, scope);
}

/** How many were asked for, where it is more than one. */
export const severalOf = (wanted: number | undefined): number | undefined =>
  wanted === 1 ? undefined : wanted;
