import { awaitedOf, type Effect, type Lookup, type Outcome } from '../conversation/effect.ts';
import type { EffectContext } from '../conversation/perform.ts';
import type { Others } from './attribution.ts';
import { movement, readPoints } from './balance.ts';
import { type Intent, intend, type Reads, readIntent, readsFor } from './journal.ts';
import { carries } from './linking.ts';
import type { CallOutcome, RedeemRequest } from './loyalty.ts';
import { readBack, readRemembered, takeBaseline, windowStart } from './reconcile.ts';
import { measureSkew } from './skew.ts';
import type { Tools } from './tools.ts';

type Redeem = Extract<Effect, { kind: 'redeem' }>;

/**
 * Spends points, calling at most once per operation, however often the turn is repeated: lock, baseline, intent, call
 * (docs/design.md, "Money-like calls"). Outcomes after which the lock is to be given back name its `customer`. It is
 * given back with the saved outcome, so a crash in between leaves the customer locked, never free.
 */
export async function redeem(effect: Redeem, context: EffectContext, tools: Tools): Promise<Outcome> {
  const { operation, gift, by } = effect;
  const { clock } = tools;
  const reads = readsFor(context, tools.loyalty);

  if (effect.outdated) return unlessIntended({ kind: 'outdated', operation }, effect, context, tools);

  const whose = await identify(effect, reads, tools.contacts);
  if (whose === null) return unlessIntended({ kind: 'unavailable', operation }, effect, context, tools);
  const { customer, points } = whose;

  const locked = await context.lock(customer, operation);
  if (!locked.locked) return unlessIntended({ kind: 'busy', operation }, effect, context, tools);

  const fromMs = windowStart(context.nowMs(), measureSkew(tools.loyalty, clock, context));
  const baseline = await takeBaseline(reads, by, gift, fromMs);
  if (baseline === null) {
    return unlessIntended({ kind: 'unavailable', operation, customer }, effect, context, tools);
  }

  // Both before the intent: a pause of the process anywhere after it must not carry the call past its deadline.
  const writeBefore = clock.monotonicMs() + tools.callTimeoutMs;
  const calledMs = context.nowMs();
  const deadlineMs = calledMs + tools.callTimeoutMs;
  const skew = measureSkew(tools.loyalty, clock, context);
  const when = { fromMs, calledMs, deadlineMs, skew };
  const lookup: Lookup = { kind: 'redeem', by, code: gift, ...when, baseline, customer };

  const intended = await intend(context, operation, { lookup });
  if (intended.kind === 'unreplicated') return { kind: 'unavailable', operation, customer };
  if (intended.kind === 'stored') return interrupted(intended.intent, customer, effect, context, tools);

  const call = await tools.loyalty.redeem({ ...whose.request, writeBefore });
  const made = { operation, customer, points, lookup, others: readRemembered(locked) };
  return conclude(call, made, context, tools);
}

async function conclude(
  call: CallOutcome,
  made: {
    operation: string;
    customer: string;
    points: number | undefined;
    lookup: Lookup;
    others: Others | null;
  },
  context: EffectContext,
  tools: Tools,
): Promise<Outcome> {
  const { operation, customer, points: before, lookup, others } = made;
  switch (call.kind) {
    case 'applied': {
      const [receipt, after] = await Promise.all([
        readBack(lookup, others, context, tools),
        before === undefined ? undefined : readPoints(lookup.by, context, tools),
      ]);
      const balance = movement(before, after);
      return {
        kind: 'applied',
        operation,
        receipt,
        customer,
        ...(receipt === undefined && { awaited: awaitedOf(lookup) }),
        ...(balance && { balance }),
      };
    }
    case 'unknown':
      return { kind: 'unknown', operation, lookup };
    case 'refused':
      return { kind: 'refused', operation, customer, ...(before !== undefined && { points: before }) };
    case 'unavailable':
      return { kind: 'unavailable', operation, customer };
  }
}

/**
 * Whose points are spent, how many there are as far as AntCRM's record says, and what the request carries: the proved identifier, and the other one only if it is proved
 * too or AntCRM has it on the same record. Null if AntCRM cannot be asked.
 */
async function identify(
  { gift, by, also }: Redeem,
  reads: Reads,
  contacts: 'on' | 'off',
): Promise<{
  customer: string;
  points: number | undefined;
  request: Omit<RedeemRequest, 'writeBefore'>;
} | null> {
  const read = contacts === 'on' ? await reads.contact(by) : { ok: true as const, value: null };
  if (!read.ok) return null;
  const contact = read.value;
  const id = contact?.customerId;
  const isTheirs = also !== undefined && (also.proved || (contact !== null && carries(contact, also)));
  return {
    customer: id === undefined ? `${by.kind}:${by.value}` : `customer:${id}`,
    points: contact?.points,
    request: { gift, ...(isTheirs ? { [also.kind]: also.value } : {}), [by.kind]: by.value },
  };
}

/**
 * "Nothing was called" is true of this attempt. An earlier one, cut off by a crash, may have called: then its intent
 * is there, and the outcome is unknown, whatever kept this attempt from getting as far.
 */
async function unlessIntended(
  outcome: Extract<Outcome, { kind: 'unavailable' | 'outdated' | 'busy' }>,
  effect: Redeem,
  context: EffectContext,
  tools: Tools,
): Promise<Outcome> {
  const body = await context.recall(effect.operation);
  if (body === null) return outcome;
  const locked = outcome.kind === 'unavailable' ? outcome.customer : undefined;
  return interrupted(readIntent(body), locked, effect, context, tools);
}

/** The stored baseline is the only one ever used. `locked`: the customer that this attempt locked. */
async function interrupted(
  { lookup }: Intent,
  locked: string | undefined,
  { operation }: Redeem,
  context: EffectContext,
  { log }: Tools,
): Promise<Outcome> {
  log.warn({ operation }, 'a redemption was interrupted: it is looked up');
  // AntCRM may have come to know the customer meanwhile: the lock that counts is the first attempt's.
  if (locked !== undefined && locked !== lookup.customer) await context.unlock(locked, operation);
  return { kind: 'unknown', operation, lookup };
}
