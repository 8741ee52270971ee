import type { Command, Expecting } from '../commands.ts';
import { confirmsIn, type Scope } from '../flow.ts';
import { KINDS, periodNamed, TYPES } from '../kinds.ts';
import { isNamedPeriod } from '../language/period.ts';
import { LOCALES } from '../message.ts';
import { isStaff } from '../prompts/identity.ts';
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
    ...(isStaff(scope) && { isStaff: true }),
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

/** The commands of a button; that it expired, where it is none of the live question's. */
export function pressed(state: ConversationState, choice: string, scope: Scope): readonly Command[] {
  const [, name = '', value = ''] = /^([^:]*):?(.*)$/s.exec(choice) ?? [];
  return saidBy(name, value, state, scope) || [{ do: 'expired' }];
}

function saidBy(
  name: string,
  value: string,
  { step, draft, before }: ConversationState,
  scope: Scope,
): readonly Command[] | false | undefined {
  const asked = step.at === 'asking' ? step.slot : undefined;
  const isPage = step.at === 'browsing';
  switch (name) {
    case 'use':
    case 'keep':
    case 'other':
      return step.at === 'asking' && step.offer && [{ do: name }];
    case 'skip':
      return asked === 'email' && [{ do: 'none' }];
    case 'gift':
      return asked === 'gift' && [{ do: 'set', slot: 'gift', value }];
    case 'period':
      return (
        (isPage || asked === 'period') &&
        isNamedPeriod(value) && [{ do: 'period', period: periodNamed(value, scope) }]
      );
    case 'before':
      return (
        asked === 'phone' &&
        (['phone', 'email'] as const).flatMap((slot): Command[] => {
          const known = before?.[slot];
          return known ? [{ do: 'set', slot, value: known.value }] : [];
        })
      );
    case 'confirm':
      return (
        step.at === 'confirming' && value === step.operation && [{ do: 'confirm', operation: step.operation }]
      );
    case 'edit':
    case 'remove': {
      const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
      const edits = (flow && confirmsIn(flow)?.edits(draft)) ?? [];
      if (!edits.some(({ id }) => id === `${name}:${value}`)) return undefined;
      if (name === 'remove') return [{ do: 'remove', which: [{ place: Number(value) }] }];
      const field = flow?.slots.map((slot) => KINDS[slot].field).find((one) => one === value);
      return field && [{ do: 'change', field }];
    }
    case 'next':
    case 'previous':
      return isPage && [{ do: 'page', to: name }];
    case 'retry':
      return isPage && [{ do: 'page', to: 'same' }];
    case 'consent':
      return step.at === 'consenting' && [{ do: 'consent', given: value === 'accept' }];
    case 'language': {
      const locale = LOCALES.find((one) => one === value);
      return locale ? [{ do: 'speak', locale }] : [{ do: 'show', what: 'languages' }];
    }
    case 'person':
    case 'help':
    case 'menu':
      return [{ do: 'show', what: name }];
    case 'cancel':
    case 'forget':
      return [{ do: name }];
    default: {
      const flow = scope.flows.get(name);
      if (!flow) return undefined;
      const start = { do: 'start', flow: name } as const;
      if (value === '') return [start];
      const of = TYPES.find((one) => one === value);
      const isHere = (isPage || asked === 'list') && 'flow' in step && step.flow === name;
      if (flow.slots.includes('list'))
        return of && (isHere ? [{ do: 'kind', of }] : [start, { do: 'kind', of }]);
      const [, count, gift] = /^(\d{1,2}):(.+)$/.exec(value) ?? [];
      if (gift === undefined || !flow.slots.includes('gift')) return undefined;
      return [start, { do: 'set', slot: 'gift', value: gift }, { do: 'many', count: Number(count) }];
    }
  }
}
