import type { Context } from './context.ts';
import { fold } from './fold.ts';
import { typed } from './identity.ts';
import { namedPeriod, type PeriodResult, parsePeriod } from './slots/period.ts';
import type { Draft, Flow } from './state.ts';
import type { Understood } from './understand.ts';

/*
 * What a message says, as slots of a flow.
 */

/** What was read from free text, as slots; what must be asked about stays out. */
export function slotsOf(understood: Understood, context: Context): Draft {
  const { code, phone, phoneAsk, email, emailSuggestion, type, period } = understood;
  return {
    ...(code !== undefined && { code }),
    ...(phone !== undefined && !phoneAsk && { phone: typed(phone, context) }),
    ...(email !== undefined && !emailSuggestion && { email: typed(email, context) }),
    ...(type !== undefined && { type }),
    ...(period !== undefined && { period: namedPeriod(period, context.nowMs, context.settings.timeZone) }),
  };
}

/** The same, with what only this flow understands: a gift by its name, typed dates. */
export function slotsFor(flow: Flow, text: string, understood: Understood, context: Context): Draft {
  const slots = slotsOf(understood, context);
  if (flow === 'redeem') {
    const { code: typedCode, ...others } = slots;
    const code = giftNamed(text, context) ?? (isGift(typedCode, context) ? typedCode : undefined);
    return code === undefined ? others : { ...others, code };
  }
  const period = flow === 'history' ? periodIn(understood, context) : undefined;
  if (period === undefined) return slots;
  // A period that is none replaces the one before it: no page shows what was not asked for.
  return { ...slots, period: period.ok ? period.period : undefined };
}

/** Phone and e-mail that prove something: others would only take the place of what is proved. */
export function provedIn(understood: Understood, context: Context): Draft {
  const { phone, email } = slotsOf(understood, context);
  return { ...(phone?.proved && { phone }), ...(email?.proved && { email }) };
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
function isGift(code: string | undefined, { settings: { gifts } }: Context): boolean {
  return gifts.length === 0 || gifts.some((gift) => gift.code === code);
}

/** The code of the gift that a text names, by code, name or the label of its button; marks do not matter. */
export function giftNamed(text: string, { settings }: Context): string | undefined {
  const words = ` ${fold(text)} `;
  return settings.gifts.find(({ code, name }) =>
    [code, ...Object.values(name)].some((one) => words.includes(` ${fold(one)} `)),
  )?.code;
}
