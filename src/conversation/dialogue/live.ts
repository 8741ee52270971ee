import type { Command, Expecting } from '../commands.ts';
import { confirmsIn, type Scope } from '../flow.ts';
import { periodNamed, TYPES } from '../kinds.ts';
import { isNamedPeriod } from '../language/period.ts';
import { LOCALES } from '../message.ts';
import type { ConversationState } from '../state.ts';
import { confirmationOf } from './operations.ts';
import { question } from './questions.ts';

/* What is live: what a text may answer, and what a pressed button says, whose id is stable. */

/** What is live while a text is read. */
export function expecting(state: ConversationState, scope: Scope): Expecting {
  const { step, draft } = state;
  const isAsking = step.at === 'asking';
  const doubted = isAsking && step.offer?.why === 'typo' ? 'email' : undefined;
  return {
    at: AT[isAsking && step.offer ? 'doubt' : step.at],
    flow: 'flow' in step ? step.flow : undefined,
    kind: isAsking ? (doubted ?? step.slot) : undefined,
    ...(isAsking && step.editing && { editing: true }),
    ...(scope.sender.proof === 'token' && { isStaff: true }),
    buttons: (question(state, scope).choices ?? []).map(({ id }) => (id.startsWith('confirm:') ? null : id)),
    codes: draft.codes ?? [],
    gift: draft.code,
    references: state.operations.flatMap(({ id }) => [id, confirmationOf(id)]),
  };
}

const AT = {
  idle: 'nothing',
  asking: 'slot',
  doubt: 'doubt',
  confirming: 'summary',
  browsing: 'page',
  consenting: 'consent',
} as const;

const EXPIRED: readonly Command[] = [{ do: 'expired' }];

/** The commands of a button; that it expired, where it is none of the live question's. */
export function pressed(state: ConversationState, choice: string, scope: Scope): readonly Command[] {
  const colon = choice.indexOf(':');
  const name = colon < 0 ? choice : choice.slice(0, colon);
  const value = colon < 0 ? '' : choice.slice(colon + 1);
  return atStep(state, name, value, scope) ?? inMenu(name, value, scope) ?? EXPIRED;
}

/** Choices that only the step at hand offers. */
function atStep(
  state: ConversationState,
  name: string,
  value: string,
  scope: Scope,
): readonly Command[] | undefined {
  const { step, draft, before } = state;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  const of = name === flow?.name ? TYPES.find((one) => one === value) : undefined;
  const period = name === 'period' && isNamedPeriod(value) ? periodNamed(value, scope) : undefined;
  switch (step.at) {
    case 'asking':
      if (step.offer && (name === 'use' || name === 'other' || name === 'keep')) return [{ do: name }];
      if (name === 'skip' && step.slot === 'email') return [{ do: 'none' }];
      if (name === 'gift' && step.slot === 'gift') return [{ do: 'set', slot: 'gift', value }];
      if (period && step.slot === 'period') return [{ do: 'period', period }];
      if (of && step.slot === 'list') return [{ do: 'kind', of }];
      if (name === 'before' && step.slot === 'phone' && before)
        return (['phone', 'email'] as const).flatMap((slot): Command[] => {
          const known = before[slot];
          return known ? [{ do: 'set', slot, value: known.value }] : [];
        });
      return undefined;
    case 'confirming': {
      const edits = (flow && confirmsIn(flow)?.edits(draft)) ?? [];
      if (name === 'confirm')
        return value === step.operation ? [{ do: 'confirm', operation: value }] : EXPIRED;
      if (!edits.some(({ id }) => id === `${name}:${value}`)) return undefined;
      if (name === 'remove') return [{ do: 'remove', which: [{ place: Number(value) }] }];
      return value === 'code' || value === 'phone' || value === 'email'
        ? [{ do: 'change', field: value }]
        : undefined;
    }
    case 'browsing':
      if (name === 'next' || name === 'previous') return [{ do: 'page', to: name }];
      if (name === 'retry') return [{ do: 'page', to: 'same' }];
      if (period) return [{ do: 'period', period }];
      return of && [{ do: 'kind', of }];
    case 'consenting':
      return name === 'consent' && (value === 'accept' || value === 'decline')
        ? [{ do: 'consent', given: value === 'accept' }]
        : undefined;
    case 'idle':
      return undefined;
  }
}

/** Choices that work wherever a live question offers them. */
function inMenu(name: string, value: string, scope: Scope): readonly Command[] | undefined {
  const flow = scope.flows.get(name);
  if (flow) {
    const start = { do: 'start', flow: name } as const;
    const of = TYPES.find((one) => one === value);
    const [, count, gift] = /^(\d{1,2}):(.+)$/.exec(value) ?? [];
    if (value === '') return [start];
    if (flow.slots.includes('list')) return of && [start, { do: 'kind', of }];
    return flow.slots.includes('gift') && gift !== undefined
      ? [start, { do: 'set', slot: 'gift', value: gift }, { do: 'many', count: Number(count) }]
      : undefined;
  }
  const locale = LOCALES.find((one) => one === value);
  switch (name) {
    case 'language':
      if (value === '') return [{ do: 'show', what: 'languages' }];
      return locale && [{ do: 'speak', locale }];
    case 'person':
    case 'help':
    case 'menu':
      return [{ do: 'show', what: name }];
    case 'cancel':
    case 'forget':
      return [{ do: name }];
    default:
      return undefined;
  }
}
