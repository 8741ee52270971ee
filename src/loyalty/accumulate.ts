import type { Effect, Lookup, Outcome } from '../conversation/effect.ts';
import { intend, type Journal, readsFor } from './journal.ts';
import { link } from './linking.ts';
import { readBack, SKEW_MS } from './reconcile.ts';
import type { Tools } from './tools.ts';

/**
 * Adds the points of a code, calling once. A code is good once at AntCRM, so nothing needs to be held and no baseline
 * taken; the intent is written all the same, because a refused repeat would hide the first call's success.
 */
export async function accumulate(
  effect: Extract<Effect, { kind: 'accumulate' }>,
  journal: Journal,
  tools: Tools,
): Promise<Outcome> {
  const { operation, code, name } = effect;
  const { loyalty, clock } = tools;
  const linked = await link(readsFor(journal, loyalty), tools.contacts, effect.phone, effect.email);
  const { phone, email, by, omitted } = linked;
  const startMs = journal.nowMs();
  const lookup: Lookup = {
    kind: 'accumulate',
    by,
    code,
    fromMs: startMs - SKEW_MS,
    deadlineMs: startMs + tools.callTimeoutMs,
    baseline: [],
  };

  const intended = await intend(journal, operation, { lookup, omitted });
  if (intended.kind === 'unreplicated') return { kind: 'unavailable', operation };
  if (intended.kind === 'stored') {
    tools.log.warn({ operation }, 'Accumulation was interrupted, looking it up');
    return { kind: 'unknown', operation, ...intended.intent };
  }

  const call = await loyalty.accumulate({ code, phone, email, name });
  switch (call.kind) {
    case 'applied':
      return {
        kind: 'applied',
        operation,
        receipt: await readBack(lookup, [], { journal, loyalty, clock }),
        omitted,
      };
    case 'unknown':
      return { kind: 'unknown', operation, lookup, omitted };
    case 'refused':
    case 'unavailable':
      return { kind: call.kind, operation };
  }
}
