import type { Field, SlotKind } from './commands.ts';
import type { Context } from './context.ts';
import { historyTypeSchema } from './effect.ts';
import type { Flow } from './flow.ts';
import { type NamedPeriod, namedPeriod, PERIODS, type Period } from './language/period.ts';
import { askGift } from './prompts/gifts.ts';
import { isProofAsked, proved, whose } from './prompts/identity.ts';
import type { Choice, Field as FormField, Line, Reply } from './reply.ts';
import type { Asking, Draft } from './state.ts';

/*
 * The kinds of slots: all that differs between them but how their texts are read. A flow lists kinds in the order of
 * asking; a kind is added here, and in `draftSchema`.
 */

/** The answers (message keys) to "what?" and to "what is wrong with that?", asked in place of an answer to our question. */
export type About = { readonly what: string; readonly wrong: string };

type Kind = {
  /** What customers call it, to change it; the flow's own word for it where there is none. */
  readonly field?: Field | undefined;
  /** Where it lies in the draft. */
  readonly slot: keyof Draft;
  isMissing(draft: Draft, flow: Flow): boolean;
  /** The question, without a view. */
  ask(flow: Flow, step: Asking, draft: Draft, scope: Context): Reply;
  /** The same to whoever said yes to it: plainly. */
  plainly?(flow: Flow, scope: Context): Partial<Reply>;
  about(flow: Flow, scope: Context): About;
  /** In a form. */
  readonly form?: FormField | undefined;
  /** What a no to it does: there is none; back to where it came from; why it is asked is said. */
  readonly no: 'none' | 'back' | 'explain';
};

/** The stable ids of the choices stand here and in `dialogue/sources.ts`, which answers to them. */
export const choice = (id: string, params?: Line['params']): Choice => ({
  id,
  label: { key: `choice.${id.split(':', 1)[0]}`, params },
});
/** A choice whose label has the whole id in its key. */
export const named = (id: string): Choice => ({ id, label: { key: `choice.${id}` } });

export const CANCEL = choice('cancel');
export const TYPES = historyTypeSchema.options;
export const PERIOD_CHOICES = PERIODS.map((name) => named(`period:${name}`));

export const PROOF: About = { what: 'answer.proof.why', wrong: 'answer.proof.why' };

export const KINDS: Readonly<Record<SlotKind, Kind>> = {
  codes: {
    field: 'code',
    slot: 'codes',
    isMissing: ({ codes }) => codes === undefined,
    ask: ({ name }) => ({ key: `${name}.askCode`, choices: [CANCEL], asks: 'code' }),
    about: () => ({ what: 'answer.code.where', wrong: 'answer.code.wrong' }),
    form: { slot: 'code', required: true },
    no: 'back',
  },

  phone: {
    field: 'phone',
    slot: 'phone',
    isMissing: (draft, { identity }) =>
      identity === 'typed' ? draft.phone === undefined : proved(draft) === undefined,
    ask: (flow, step, _, scope) =>
      flow.identity === 'typed' ? askPhone(flow, scope) : askIdentity(step, scope),
    plainly({ identity }, scope) {
      if (identity === 'proved') return isProofAsked(scope) ? { context: 'again' } : {};
      return { key: 'phone.wanted', context: scope.sender.proof === 'contact' ? 'share' : undefined };
    },
    about: ({ identity }, scope) =>
      identity === 'proved' && isProofAsked(scope)
        ? PROOF
        : { what: 'answer.phone.why', wrong: 'answer.phone.wrong' },
    form: { slot: 'phone', required: true },
    no: 'explain',
  },

  email: {
    field: 'email',
    slot: 'email',
    isMissing: ({ email }) => email === undefined,
    ask: ({ name }, { editing }, _, scope) => ({
      key: `${name}.askEmail`,
      context: whose(scope),
      choices: [choice('skip'), CANCEL],
      asks: 'email',
      // Whoever wants to change it was asked whether they want one.
      ...(editing && { key: 'email.wanted', context: undefined }),
    }),
    plainly: () => ({ key: 'email.wanted', context: undefined }),
    about: () => ({ what: 'answer.email.why', wrong: 'answer.email.wrong' }),
    form: { slot: 'email', required: false },
    no: 'none',
  },

  gift: {
    field: 'code',
    slot: 'code',
    isMissing: ({ code }) => code === undefined,
    ask({ name }, _, { balance, among }, scope) {
      const { gifts } = scope.settings;
      if (gifts.length === 0) return { key: `${name}.askCode`, choices: [CANCEL], asks: 'code' };
      const points = balance?.points ?? undefined;
      const meant = gifts.filter(({ code }) => among?.includes(code));
      const context = whose(scope) === 'staff' ? 'knownStaff' : 'known';
      const { choices, ...asked } =
        meant.length > 0
          ? askGift(meant, points, { context: 'several' })
          : askGift(gifts, points, points === undefined ? {} : { context, params: { points } });
      return { ...asked, choices: [...choices, CANCEL] };
    },
    about: () => ({ what: 'answer.gift.which', wrong: 'answer.gift.which' }),
    no: 'back',
  },

  // Null: both lists were named, so it is asked for; absent: the usual one is shown.
  list: {
    slot: 'type',
    isMissing: ({ type }) => type === null,
    ask: ({ name }) => ({
      key: `${name}.askType`,
      choices: [...TYPES.map((type) => named(`${name}:${type}`)), CANCEL],
      asks: 'menu',
    }),
    about: () => ({ what: 'answer.list.which', wrong: 'answer.list.which' }),
    no: 'explain',
  },

  // Null: said, and not understood; absent: the usual one is shown.
  period: {
    slot: 'period',
    isMissing: ({ period }) => period === null,
    ask: ({ name }, _, __, scope) => ({
      key: `${name}.askPeriod`,
      params: exampleOfPeriod(scope),
      choices: [...PERIOD_CHOICES, CANCEL],
      asks: 'period',
    }),
    about: () => ({ what: 'answer.period.how', wrong: 'answer.period.how' }),
    no: 'explain',
  },
};

function askPhone({ name }: Flow, scope: Context): Reply {
  const asked: Reply = {
    key: `${name}.askPhone`,
    context: whose(scope),
    choices: [CANCEL],
    asks: 'phone',
  };
  return scope.sender.proof === 'contact' ? { ...asked, sharePhone: true } : asked;
}

/** Why sharing is needed is said once. */
function askIdentity({ tries }: Asking, scope: Context): Reply {
  const again = tries > 0 ? 'again' : undefined;
  return isProofAsked(scope)
    ? { key: 'identity.proofNeeded', context: again, choices: [CANCEL], asks: 'phone', sharePhone: true }
    : { key: 'identity.ask', context: whose(scope), choices: [CANCEL], asks: 'phone' };
}

export function periodNamed(name: NamedPeriod, { nowMs, settings }: Context): Period {
  return namedPeriod(name, nowMs, settings.timeZone);
}

/** A period to show how one is typed: always of this year. */
export function exampleOfPeriod({ nowMs, settings }: Context): { from: number; to: number } {
  const { fromMs = nowMs } = namedPeriod('month', nowMs, settings.timeZone);
  return { from: fromMs, to: nowMs };
}

/** The next slot of a flow that is to be asked for. */
export function missing(flow: Flow, draft: Draft): SlotKind | undefined {
  return flow.slots.find((kind) => KINDS[kind].isMissing(draft, flow));
}

/** The slot of a flow that customers mean by the name of a field. */
export function slotCalled({ slots }: Flow, field: Field): SlotKind | undefined {
  return slots.find((kind) => KINDS[kind].field === field);
}

/** The fields of a form for what is missing, where the flow offers one. */
export function formOf(flow: Flow, draft: Draft): FormField[] {
  if (!flow.takes?.form) return [];
  return flow.slots.flatMap((kind) => {
    const { form, isMissing } = KINDS[kind];
    return form && isMissing(draft, flow) ? [form] : [];
  });
}
