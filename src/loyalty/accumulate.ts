import type { Effect, Identifier, Lookup, Outcome } from '../conversation/effect.ts';
import type { EffectContext } from '../conversation/perform.ts';
import { movement, readPoints } from './balance.ts';
import { intend, readIntent, readsFor } from './journal.ts';
import { link } from './linking.ts';
import { NOBODY, rememberCode } from './locks.ts';
import { readBack, windowStart } from './reconcile.ts';
import { measureSkew } from './skew.ts';
import type { Tools } from './tools.ts';

type Accumulate = Extract<Effect, { kind: 'accumulate' }>;

/**
 * Adds the points of a code, calling once. A code is good once at AntCRM, so it needs no lock and no baseline; the intent
 * is written all the same, because a refused repeat would hide the first call's success. Its record is remembered by the
 * code, before anything else is done: whoever looks the same code up, in whatever conversation, must not take it for theirs.
 */
export async function accumulate(effect: Accumulate, context: EffectContext, tools: Tools): Promise<Outcome> {
  const { operation, code, name } = effect;
  const { loyalty } = tools;
  const linked = await link(readsFor(context, loyalty), tools.contacts, effect.phone, effect.email);
  const { phone, email, by } = linked;
  const calledMs = context.nowMs();
  const skew = measureSkew(loyalty, tools.world, context);
  const lookup: Lookup = {
    kind: 'accumulate',
    by,
    code,
    fromMs: windowStart(calledMs, skew),
    calledMs,
    deadlineMs: calledMs + tools.callTimeoutMs,
    skew,
    baseline: [],
    locks: [],
  };

  // On its way before the call is, which waits for nothing: should AntCRM answer the call first, the two tell no balance.
  const pointsBefore = isProved(by, effect) ? readPoints(by, context, tools) : undefined;
  const intended = await intend(context, operation, { lookup });
  if (intended.kind === 'unreplicated') return { kind: 'unavailable', operation };
  if (intended.kind === 'stored') {
    tools.log.warn({ operation }, 'an accumulation was interrupted: it is looked up');
    return { kind: 'unknown', operation, lookup: readIntent(intended.body).lookup };
  }

  // Nobody's name is given to a record that may be somebody else's.
  const call = await loyalty.accumulate({
    code,
    phone,
    email,
    name: isProved(by, effect) ? name : undefined,
  });
  switch (call.kind) {
    case 'applied': {
      const [receipt, before, after] = await Promise.all([
        readBack(lookup, NOBODY, context, tools).then(async (receipt) => {
          await rememberCode(lookup, operation, receipt?.record, context);
          return receipt;
        }),
        pointsBefore,
        pointsBefore && readPoints(by, context, tools),
      ]);
      const balance = movement(before === null ? 0 : before, after);
      return { kind: 'applied', operation, receipt, ...(balance && { balance }) };
    }
    case 'unknown':
      return { kind: 'unknown', operation, lookup };
    case 'refused':
    case 'unavailable':
      return { kind: call.kind, operation };
  }
}

/** The points are the sender's own: a balance is shown to nobody else. */
function isProved({ kind }: Identifier, { phone, email }: Pick<Accumulate, 'phone' | 'email'>): boolean {
  return (kind === 'phone' ? phone : email)?.proved === true;
}
