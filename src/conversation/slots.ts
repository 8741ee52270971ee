import type { FieldName, SlotKind } from './commands.ts';
import type { Context } from './context.ts';
import { historyTypeSchema } from './effect.ts';
import type { Flow } from './flow.ts';
import { showPhone } from './prompts/format.ts';
import { askGift } from './prompts/gifts.ts';
import { canProveByCode, findProof, isProofAsked, isStaff, pickVariant } from './prompts/identity.ts';
import { choice, type FormField, type Reply } from './reply.ts';
import type { Asking, Draft } from './state.ts';
import { type NamedPeriod, namedPeriod, PERIODS, type Period } from './values/calendar.ts';

/*
 * How each kind of slot is asked for and explained. A new kind is added here and, under the same name, in
 * `draftSchema`.
 */

/** The message keys that answer "what?" and "what is wrong?" (else the same) at the question for a slot. */
export type AnswerKeys = { readonly what: string; readonly wrong?: string };

type SlotQuestion = { readonly flow: Flow; readonly step: Asking; readonly draft: Draft };

type SlotDefinition = {
  /** What customers call it when they change it. */
  readonly field?: FieldName | undefined;
  /** Asked for only if the draft has null: the bot did not understand it. */
  readonly isOptional?: true | undefined;
  /** The question, without a view and without the button that cancels. */
  ask(question: SlotQuestion, scope: Context): Reply;
  readonly about: AnswerKeys;
  /** In a form. */
  readonly form?: FormField | undefined;
  /** What a no does: leaves it empty, goes back, or explains why it is asked. */
  readonly no: 'none' | 'back' | 'explain';
};

export const HISTORY_TYPES = historyTypeSchema.options;
export const PERIOD_CHOICES = PERIODS.map((name) => choice(`period:${name}`));

export const SLOTS: Readonly<Record<SlotKind, SlotDefinition>> = {
  codes: {
    field: 'code',
    ask: ({ flow: { name } }) => ({ key: `${name}.askCode`, asks: 'code' }),
    about: { what: 'answer.code.where', wrong: 'answer.code.wrong' },
    form: { slot: 'code', required: true },
    no: 'back',
  },

  phone: {
    field: 'phone',
    ask({ flow: { name, identity }, draft }, scope) {
      const isShared = identity === 'typed' ? scope.sender.proof === 'contact' : isProofAsked(scope);
      const share: Partial<Reply> = isShared ? { sharePhone: true } : {};
      const asked = { context: pickVariant(scope), asks: 'phone', ...share } as const;
      if (identity === 'typed') return { key: `${name}.askPhone`, ...asked };
      if (draft.proof) return { key: 'identity.codePhone', asks: 'phone' };
      const key = isShared ? 'identity.proofNeeded' : 'identity.ask';
      if (!canProveByCode(scope)) return { key, ...asked };
      const person = scope.settings.handover && !isShared ? [choice('person')] : [];
      const byCode = { context: 'code', choices: [choice('code:send'), ...person] };
      return { key: isShared ? key : 'identity.noEmail', ...asked, ...byCode };
    },
    about: { what: 'answer.phone.why', wrong: 'answer.phone.wrong' },
    form: { slot: 'phone', required: true },
    no: 'explain',
  },

  email: {
    field: 'email',
    ask: ({ flow: { name } }, scope) => ({
      key: `${name}.askEmail`,
      context: pickVariant(scope),
      choices: [choice('skip')],
      asks: 'email',
    }),
    about: { what: 'answer.email.why', wrong: 'answer.email.wrong' },
    form: { slot: 'email', required: false },
    no: 'none',
  },

  gift: {
    field: 'code',
    ask({ flow: { name }, draft: { balance, among } }, scope) {
      const { gifts } = scope.settings;
      if (gifts.length === 0) return { key: `${name}.askCode`, asks: 'code' };
      const points = balance?.points ?? undefined;
      const chosen = gifts.filter(({ code }) => among?.includes(code));
      if (chosen.length > 0) return askGift(chosen, points, { context: 'several' });
      const context = isStaff(scope) ? 'knownStaff' : 'known';
      return askGift(gifts, points, points === undefined ? {} : { context, params: { points } });
    },
    about: { what: 'answer.gift.which' },
    no: 'back',
  },

  list: {
    isOptional: true,
    ask: ({ flow: { name } }) => ({
      key: `${name}.askType`,
      choices: HISTORY_TYPES.map((type) => choice(`${name}:${type}`)),
      asks: 'menu',
    }),
    about: { what: 'answer.list.which' },
    no: 'explain',
  },

  period: {
    isOptional: true,
    ask: ({ flow: { name } }, scope) => ({
      key: `${name}.askPeriod`,
      params: toExamplePeriod(scope),
      choices: PERIOD_CHOICES,
      asks: 'period',
    }),
    about: { what: 'answer.period.how' },
    no: 'explain',
  },

  /** Takes the place of the phone once a one-time code was sent to it. */
  proof: {
    ask({ draft: { proof } }) {
      const { phone = '', state } = proof ?? {};
      const asked: Pick<Reply, 'choices' | 'asks'> = { choices: [choice('code:again')], asks: 'proof' };
      if (state === 'over') return { key: 'identity.codeExpired', ...asked };
      return { key: 'identity.codeSent', context: state, params: { phone: showPhone(phone) }, ...asked };
    },
    about: { what: 'answer.proof.code' },
    no: 'explain',
  },
};

export function resolvePeriod(name: NamedPeriod, { nowMs, settings }: Context): Period {
  return namedPeriod(name, nowMs, settings.timeZone);
}

/** A period to show how one is typed: always of this year. */
export function toExamplePeriod(context: Context): { from: number; to: number } {
  const { fromMs = context.nowMs } = resolvePeriod('month', context);
  return { from: fromMs, to: context.nowMs };
}

/** The slots of a flow that are still to be asked for, in order. */
export function missingSlots({ slots, identity }: Flow, draft: Draft): readonly SlotKind[] {
  const missing: SlotKind[] = [];
  for (const kind of slots) {
    const isProof = kind === 'phone' && identity === 'proved';
    const value = isProof ? findProof(draft) : draft[kind];
    if (value !== (SLOTS[kind].isOptional ? null : undefined)) continue;
    missing.push(isProof && draft.proof?.phone !== undefined ? 'proof' : kind);
  }
  return missing;
}

/** The slot of a flow that customers mean by the name of a field. */
export function findSlotByField({ slots }: Flow, field: FieldName): SlotKind | undefined {
  return slots.find((kind) => SLOTS[kind].field === field);
}

/** At most this many codes may be gathered at a time. */
export const MOST_CODES = 10;
