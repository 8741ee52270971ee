import type { SlotKind } from '../commands.ts';
import { confirmsIn, type Flow, type GuardName, type Scope } from '../flow.ts';
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
  for (const guard of flow.guards ?? []) {
    const said =
      guard === 'guesses'
        ? tooManyAttempts(state, scope)
        : typeof guard === 'object'
          ? guard.begins?.(state.draft, scope)
          : undefined;
    if (said) return said;
  }
  return undefined;
}

/** Whether a flow needs an identity that only the profile could prove, and does not: no answer could change that. */
export function isUnprovable(flow: Flow, known: Draft, { sender, settings }: Scope): boolean {
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  return flow.identity === 'proved' && byProfile && proved(known) === undefined;
}

/** What to say where only the profile could prove who somebody is, and does not. */
export function unproved(scope: Scope): Reply {
  return scope.sender.unread
    ? { key: 'identity.unread' }
    : { key: 'identity.noEmail', lines: supportLines(scope) };
}

/** What guards say before the summary: the slots that are left, and where it does not go on, why, and what is asked anew. */
export type Guarded = {
  readonly draft: Draft;
  readonly said: readonly Reply[];
  readonly stop?: { readonly say: Reply; readonly ask?: SlotKind | undefined } | undefined;
};

export function guarded(flow: Flow, state: ConversationState, scope: Scope): Guarded {
  let { draft } = state;
  const said: Reply[] = [];
  for (const guard of flow.guards ?? []) {
    const heard =
      typeof guard === 'object'
        ? { draft, said: [], stop: guard.goesOn?.(draft, scope) }
        : BUILT_IN[guard]({ ...state, draft }, flow, scope);
    draft = heard.draft;
    said.push(...heard.said);
    if (heard.stop) return { draft, said, stop: heard.stop };
  }
  return { draft, said };
}

const BUILT_IN: Readonly<Record<GuardName, (state: ConversationState, flow: Flow, scope: Scope) => Guarded>> =
  {
    guesses: ({ draft }) => ({ draft, said: [] }),

    checked(state, flow) {
      const kind = confirmsIn(flow)?.kind;
      const codes = state.draft.codes ?? [];
      if (!kind) return { draft: state.draft, said: [] };
      const { left, told } = withoutChecked(state, kind, codes);
      const [first, ...others] = told;
      if (first && left.length === 0) return { draft: state.draft, said: others, stop: { say: first } };
      return { draft: { ...state.draft, codes: [...left] }, said: told };
    },

    gift({ draft }, _, scope) {
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
  };
