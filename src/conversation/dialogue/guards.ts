import type { SlotKind } from '../commands.ts';
import { confirmsIn, type Flow, type Guard, type GuardName, type Scope } from '../flow.ts';
import { giftOf, oneAtATime, priceChanged, tooFewPoints } from '../prompts/gifts.ts';
import { proved } from '../prompts/identity.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Draft } from '../state.ts';
import { busy, tooManyAttempts, withoutChecked } from './operations.ts';
import { supportLines } from './person.ts';

/*
 * What forbids a flow to begin, to call, or to go on to its summary.
 */

/** Why a flow cannot be gone through now: said before anything is asked for. */
export function hindered(flow: Flow, state: ConversationState, scope: Scope): Reply | undefined {
  return scope.serviceUp ? callHindered(flow, state, scope) : { key: 'service.unavailable' };
}

/** Why nothing is called now. */
export function callHindered(flow: Flow, state: ConversationState, scope: Scope): Reply | undefined {
  const confirms = confirmsIn(flow);
  const wait = confirms && busy(state, confirms);
  if (wait) return wait;
  for (const { begins } of guardsOf(flow)) {
    const said = begins?.(state, scope);
    if (said) return said;
  }
  return undefined;
}

/** Where only the profile could prove who somebody is, and does not, no answer could change that. */
export function unprovable(flow: Flow, known: Draft, { sender, settings }: Scope): Reply | undefined {
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  if (flow.identity !== 'proved' || !byProfile || proved(known)) return undefined;
  return sender.unread
    ? { key: 'identity.unread' }
    : { key: 'identity.noEmail', lines: supportLines({ settings }) };
}

/** What guards say before the summary: the slots that are left, and where it does not go on, why, and what is asked anew. */
type Guarded = {
  readonly draft: Draft;
  readonly said: readonly Reply[];
  readonly stop?: { readonly say: Reply; readonly ask?: SlotKind | undefined } | undefined;
};

export function guarded(flow: Flow, state: ConversationState, scope: Scope): Guarded {
  let { draft } = state;
  const said: Reply[] = [];
  for (const { goesOn } of guardsOf(flow)) {
    const heard = goesOn?.({ ...state, draft }, flow, scope) ?? { draft, said: [] };
    draft = heard.draft;
    said.push(...heard.said);
    if (heard.stop) return { draft, said, stop: heard.stop };
  }
  return { draft, said };
}

/** A guard that looks at more than slots. */
type BuiltIn = {
  begins?(state: ConversationState, scope: Scope): Reply | undefined;
  goesOn?(state: ConversationState, flow: Flow, scope: Scope): Guarded;
};

const guardsOf = ({ guards = [] }: Flow): readonly BuiltIn[] =>
  guards.map((guard) => (typeof guard === 'string' ? BUILT_IN[guard] : ofFlow(guard)));

const ofFlow = ({ begins, goesOn }: Guard): BuiltIn => ({
  begins: ({ draft }, scope) => begins?.(draft, scope),
  goesOn: ({ draft }, _, scope) => ({ draft, said: [], stop: goesOn?.(draft, scope) }),
});

const BUILT_IN: Readonly<Record<GuardName, BuiltIn>> = {
  guesses: { begins: tooManyAttempts },

  checked: {
    goesOn(state, flow) {
      const { draft } = state;
      const { left, told } = withoutChecked(state, confirmsIn(flow)?.kind, draft.codes ?? []);
      const [first, ...others] = told;
      return first && left.length === 0
        ? { draft, said: others, stop: { say: first } }
        : { draft: { ...draft, codes: [...left] }, said: told };
    },
  },

  gift: {
    goesOn({ draft }, _, scope) {
      const { gifts } = scope.settings;
      const { code, wanted, price, ...rest } = draft;
      const gift = giftOf(code, scope);
      // A button of before the operator changed the list.
      if (gifts.length > 0 && !gift)
        return { draft: rest, said: [], stop: { say: { key: 'gift.gone' }, ask: 'gift' } };
      const points = draft.balance?.points ?? undefined;
      if (gift && points !== undefined && gift.score > points) {
        const isAny = gifts.some(({ score }) => score <= points);
        const say = tooFewPoints(gift, points, scope);
        return { draft: rest, said: [], stop: { say, ask: isAny ? 'gift' : undefined } };
      }
      const said = [
        ...(gift && price !== undefined && price !== gift.score ? [priceChanged(gift, price)] : []),
        ...((wanted ?? 1) > 1 ? [oneAtATime(code, scope)] : []),
      ];
      return { draft: { ...draft, price: gift?.score }, said };
    },
  },
};
