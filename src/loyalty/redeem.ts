import {
  awaitedOf,
  type Effect,
  type EffectContext,
  LeaseLost,
  type Lookup,
  type Outcome,
} from '../conversation/effect.ts';
import { measureSkew } from './clock.ts';
import { movement, readPoints } from './history.ts';
import { callOf, elapsed, intend, momentIn, readsFor, type Tools } from './intent.ts';
import { BRIEF_MS, type Locked, lockAll, nameOf, namesIn, namesOf, type Others, unlockAll } from './locks.ts';
import type { CallOutcome, Moment, Reads, RedeemRequest } from './port.ts';
import { readBack, takeBaseline, windowStart } from './reconcile.ts';
import { carries } from './wire.ts';

type Redeem = Extract<Effect, { kind: 'redeem' }>;

/** Whose points are spent, how many there are by AntCRM's record, and what the request carries. */
type Request = Omit<RedeemRequest, 'writeBefore'>;
type Customer = { names: ReadonlySet<string>; points: number | undefined; request: Request };

/** A call that may be made: its intent is stored. */
type Prepared = { lookup: Lookup; others: Others | 'unreadable'; writeBefore: Moment };

/** Longer after the intent than this, the store is asked whether the turn is still this process's. */
const FRESH_MS = 1000;

/**
 * Spends points, calling at most once per operation, however often the turn is repeated: locks, baseline, intent, call
 * (docs/how-it-works.md, "A redemption whose answer is lost"). Locks are given back at once where no intent follows. Else they are given back
 * with the saved outcome, so a crash in between leaves the customer locked, never free.
 */
export async function redeem(effect: Redeem, context: EffectContext, tools: Tools): Promise<Outcome> {
  const { operation } = effect;
  if (effect.outdated) return { kind: 'outdated', operation };

  const customer = await identify(effect, readsFor(context, tools.antcrm), tools.contacts);
  if (customer === null) return { kind: 'unavailable', operation };
  const names = new Set(customer.names);
  const locked = await lockAll(names, operation, context, BRIEF_MS);
  if (locked === 'busy') return { kind: 'busy', operation };

  let prepared: Prepared | Outcome | undefined;
  try {
    prepared = await prepare(effect, names, locked, context, tools);
  } finally {
    const isIntended = prepared !== undefined && ('lookup' in prepared || 'locks' in prepared);
    if (!isIntended) await unlockAll(names, operation, context);
  }
  if ('kind' in prepared) return prepared;
  return call(customer, operation, prepared, context, tools);
}

/** From the locks to the intent. An outcome says why no call is made; `names` gains what the history names. */
async function prepare(
  { operation, gift, by }: Redeem,
  names: Set<string>,
  locked: Others | 'unreadable',
  context: EffectContext,
  tools: Tools,
): Promise<Prepared | Outcome> {
  const { world, timeoutMs } = tools;
  const sinceLocked = elapsed(world);
  const fromMs = windowStart(context.nowMs(), measureSkew(tools, context));
  const baseline = await takeBaseline(readsFor(context, tools.antcrm), gift, { by, fromMs });
  if (baseline === null) return { kind: 'unavailable', operation };
  const all = names.union(baseline.names);
  let others: Locked = locked;
  // All of them live for a while yet when the call is made, until the first look, or whoever takes the turn up.
  if (all.size > names.size || sinceLocked() > BRIEF_MS / 3) {
    for (const name of all) names.add(name);
    others = await lockAll(all, operation, context, BRIEF_MS);
    if (others === 'busy') return { kind: 'busy', operation };
  }

  // Before the intent: a pause of the process anywhere after it must not carry the call past its deadline.
  const writeBefore = momentIn(timeoutMs, world);
  const locks = [...names].sort();
  const left = { baseline: baseline.ids, locks };
  const lookup: Lookup = { kind: 'redeem', by, code: gift, fromMs, ...callOf(context, tools), ...left };

  const sinceIntent = elapsed(world);
  const intended = await intend(context, operation, { lookup });
  if (intended === 'unreplicated') return { kind: 'unavailable', operation, locks };
  if (sinceIntent() > FRESH_MS && !(await context.isHeld())) throw new LeaseLost();
  return { lookup, others, writeBefore };
}

async function call(
  { points: before, request }: Customer,
  operation: string,
  { lookup, others, writeBefore }: Prepared,
  context: EffectContext,
  tools: Tools,
): Promise<Outcome> {
  const { locks } = lookup;
  const { kind }: CallOutcome = await tools.antcrm.redeem({ ...request, writeBefore });
  switch (kind) {
    case 'applied': {
      const [receipt, after] = await Promise.all([
        readBack(lookup, others, context, tools),
        before === undefined ? undefined : readPoints(lookup.by, context, tools),
      ]);
      const balance = movement(before, after);
      const awaited = receipt === undefined ? { awaited: awaitedOf(lookup) } : {};
      return { kind: 'applied', operation, receipt, locks, ...awaited, ...(balance && { balance }) };
    }
    case 'unknown':
      await lockAll(locks, operation, context);
      return { kind: 'unknown', operation, lookup };
    case 'refused':
      return { kind: 'refused', operation, locks, ...(before !== undefined && { points: before }) };
    case 'unavailable':
      return { kind: 'unavailable', operation, locks };
  }
}

/**
 * The request carries the proved identifier, and the other one only if it is proved too or AntCRM has it on the same
 * record. Null if AntCRM cannot be asked.
 */
async function identify(effect: Redeem, reads: Reads, contacts: 'on' | 'off'): Promise<Customer | null> {
  const { gift, by, also } = effect;
  const read = contacts === 'on' ? await reads.contact(by) : { ok: true as const, value: null };
  if (!read.ok) return null;
  const contact = read.value;
  const isTheirs = also !== undefined && (also.proved || (contact !== null && carries(contact, also)));
  const sent: Redeem['by'][] = isTheirs ? [by, also] : [by];
  const names = contact?.customerId === undefined ? await namesInHistory(by, reads) : [];
  return (
    names && {
      names: new Set([...sent.map(nameOf), ...(contact ? namesOf(contact) : []), ...names]),
      points: contact?.points,
      request: { gift, ...Object.fromEntries(sent.map(({ kind, value }) => [kind, value])) },
    }
  );
}

/**
 * Where AntCRM's record does not say who the customer is, newer entries of the history may: by phone and by e-mail it must
 * be the same lock. Null if it cannot be read.
 */
async function namesInHistory(by: Redeem['by'], reads: Reads): Promise<string[] | null> {
  const types = ['point', 'gift'] as const;
  const pages = await Promise.all(types.map((type) => reads.history({ type, by, page: 1 })));
  return pages.every((page) => page.ok) ? pages.flatMap((page) => namesIn(page.value.records)) : null;
}
