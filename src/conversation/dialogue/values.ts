import type { Context, Gift } from '../context.ts';
import { fold } from '../language/fold.ts';
import type { Understood } from '../language/understand.ts';
import { namedPeriod, type PeriodResult, parsePeriod } from '../language/values/period.ts';
import { typed } from '../prompts/identity.ts';
import type { Draft, Flow } from '../state.ts';

/*
 * What a message says, as slots of a flow.
 */

/** Phone and e-mail as read from free text; what must be asked about stays out. */
export function identityIn(understood: Understood, context: Context): Pick<Draft, 'phone' | 'email'> {
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  return {
    ...(phone !== undefined && !phoneAsk && { phone: typed(phone, context) }),
    ...(email !== undefined && !emailSuggestion && { email: typed(email, context) }),
  };
}

/** What was read from free text, as slots of this flow. */
export function slotsFor(flow: Flow, text: string, understood: Understood, context: Context): Draft {
  const identity = identityIn(understood, context);
  switch (flow) {
    case 'accumulate': {
      const { code, noEmail } = understood;
      return { ...(code !== undefined && { code }), ...(noEmail && { email: null }), ...identity };
    }
    case 'redeem': {
      const code = giftIn(text, understood, context);
      return { ...identity, ...(code !== undefined && { code }) };
    }
    case 'history': {
      const { type } = understood;
      const said = periodIn(understood, context);
      // A period that is none replaces the one before it: no page shows what was not asked for.
      const period = said && { period: said.ok ? said.period : undefined };
      return { ...identity, ...(type && { type }), ...period };
    }
    case 'points':
      return identity;
  }
}

/** The same, said in the middle of the flow: what proves nothing takes no place of what is proved. */
export function answersTo(flow: Flow, text: string, understood: Understood, context: Context): Draft {
  const { phone, email, ...others } = slotsFor(flow, text, understood, context);
  const counts = (known: typeof phone | null) => flow === 'accumulate' || known?.proved;
  return {
    ...others,
    ...(phone !== undefined && counts(phone) && { phone }),
    ...(email !== undefined && counts(email) && { email }),
  };
}

/** The period that a message names or dates, or what is wrong with it; undefined where it speaks of none. */
export function periodIn({ period, rest }: Understood, context: Context): PeriodResult | undefined {
  const { nowMs, settings } = context;
  if (period !== undefined) return { ok: true, period: namedPeriod(period, nowMs, settings.timeZone) };
  if (rest === '') return undefined;
  const dates = parsePeriod(rest, nowMs, settings.timeZone);
  // Without a digit it is some other talk.
  return dates.ok || dates.reason !== 'period.shape' || /\d/.test(rest) ? dates : undefined;
}

/** Where no list of gifts is known, AntCRM decides. */
function giftIn(text: string, understood: Understood, context: Context): string | undefined {
  const { gifts } = context.settings;
  const { code } = understood;
  const isGift = gifts.length === 0 || gifts.some((gift) => gift.code === code);
  return giftNamed(text, understood, context) ?? (isGift ? code : undefined);
}

/**
 * The code of the gift that a text names, by code, name or the label of its button, or by words of its name that no
 * other gift has; marks do not matter.
 */
export function giftNamed(text: string, { rest }: Understood, { settings }: Context): string | undefined {
  // "loa@gmail.com" names nothing.
  const words = ` ${fold(text.replace(/\S*@\S*/g, ' '))} `;
  const named = settings.gifts.find((gift) => namesOf(gift).some((name) => words.includes(` ${name} `)));
  if (named) return named.code;
  const [only, ...others] = rest === '' ? [] : settings.gifts.filter((gift) => isOf(gift, rest));
  return others.length === 0 ? only?.code : undefined;
}

/** The gift that a message wishes for ("đổi loa", "lấy đầu máy") where it says nothing else. */
export function giftWished(text: string, understood: Understood, context: Context): string | undefined {
  if (!understood.wishes) return undefined;
  const code = giftNamed(text, understood, context);
  const gift = context.settings.gifts.find((one) => one.code === code);
  return gift && isOf(gift, understood.rest) ? code : undefined;
}

function namesOf({ code, name }: Gift): string[] {
  return [code, ...Object.values(name)].map(fold);
}

/** Whether all these words are in the gift's names. */
function isOf(gift: Gift, text: string): boolean {
  const words = namesOf(gift).flatMap((name) => name.split(' '));
  return fold(text)
    .split(' ')
    .every((word) => word === '' || words.includes(word));
}
