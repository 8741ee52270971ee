import type { Identifier, Lookup } from '../conversation/effect.ts';
import { maskCode, maskEmail, maskPhone } from '../conversation/prompts/mask.ts';
import { readIntent } from '../loyalty/journal.ts';
import { toNational } from '../loyalty/phone.ts';
import type { OpenOperation } from '../store/operators.ts';
import type { Event } from './story.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** What the call was and how to find it; null where the intent cannot be opened or read. */
export function lookupOf({ intent }: OpenOperation): Lookup | null {
  try {
    return intent && readIntent(intent.body).lookup;
  } catch {
    return null;
  }
}

/**
 * What may be seen without asking for it. `waitsFor`: by its own timetable the bot still looks the operation up, or does
 * no more. (It may have given up before: then there was an alarm.)
 */
export function summarize(operation: OpenOperation, checksMs: readonly number[], nowMs: number) {
  const { reference, conversation, atMs, intent } = operation;
  const lookup = lookupOf(operation);
  const checkedUntilMs = (lookup?.deadlineMs ?? atMs) + (checksMs.at(-1) ?? 0);
  return {
    reference,
    kind: lookup?.kind ?? null,
    at: iso(atMs),
    waitsFor: nowMs < checkedUntilMs ? 'bot' : 'staff',
    checkedUntil: iso(checkedUntilMs),
    channel: intent?.origin.channel ?? null,
    conversation,
  } as const;
}

/**
 * What finds the operation in AntCRM's back office. A gift's code is no secret, a product's is worth points. Ours is a
 * succeeded record created since `recordsFrom`, by AntCRM's clock, that is not among `knownRecords`.
 */
export function describe(lookup: Lookup, reveal: boolean) {
  const { kind, by, code, customer, fromMs, calledMs, skew, baseline } = lookup;
  const calledAtMs = skew && calledMs !== undefined ? calledMs + skew.ms - skew.errorMs : fromMs;
  return {
    code: reveal || kind === 'redeem' ? code : maskCode(code),
    identifier: { kind: by.kind, value: shown(by, reveal) },
    customerId: /^customer:(.*)$/.exec(customer ?? '')?.[1] ?? null,
    recordsFrom: iso(calledAtMs),
    knownRecords: baseline,
  };
}

/** In full it is as AntCRM has it, to be searched for. */
function shown({ kind, value }: Identifier, reveal: boolean): string {
  if (kind === 'phone') return reveal ? toNational(value) : maskPhone(value);
  return reveal ? value : maskEmail(value);
}

type Shown = ReturnType<typeof summarize> &
  ReturnType<typeof describe> & { readonly story: readonly Event[] };

/** The same for people, with what happened and what to do next. */
export function guide(about: Shown): string[] {
  const { reference, kind, code, identifier, customerId, recordsFrom, knownRecords } = about;
  const what = kind === 'redeem' ? 'redemption' : 'accumulation';
  const rows = Object.entries({
    reference,
    kind,
    code,
    [identifier.kind]: identifier.value,
    'customer id': customerId,
    'called at': about.at,
    'waits for': about.waitsFor === 'bot' ? `bot, until ${about.checkedUntil} at the latest` : 'staff',
    channel: about.channel,
    conversation: about.conversation,
  });
  return [
    ...rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(14)}${value}`])),
    '',
    ...about.story.map(({ at, says }) => `${(at ?? '').padEnd(26)}${says}`),
    '',
    `Look in AntCRM for a succeeded ${what} of this code by this customer,`,
    `created since ${recordsFrom} by AntCRM's clock${knownRecords.length > 0 ? ', none of these, which were there before:' : '.'}`,
    ...knownRecords.map((record) => `  ${record}`),
    '',
    `There is one:   npm run operations -- settle ${reference} done`,
    `There is none:  npm run operations -- settle ${reference} not-applied`,
  ];
}
