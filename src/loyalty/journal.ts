import { z } from 'zod';
import { type Identifier, lookupSchema } from '../conversation/effect.ts';
import { type EffectContext, LeaseLost, TurnInterrupted } from '../conversation/perform.ts';
import type { Loyalty } from './loyalty.ts';

/**
 * The intent: what must survive a crash between a call and the saving of its outcome. Read by operators too
 * (`npm run operations`).
 */
export const intentSchema = z.strictObject({
  lookup: lookupSchema,
});
export type Intent = z.infer<typeof intentSchema>;

/** Reads a stored intent; throws if it is none, because nobody could act on it. */
export function readIntent(body: unknown): Intent {
  return intentSchema.parse(body);
}

type Intended = { kind: 'go' } | { kind: 'stored'; body: unknown } | { kind: 'unreplicated' };

/** Writes the intent. After `go` the call must follow, stopping or not; throws where no call may be begun. */
export async function intend(context: EffectContext, operation: string, intent: Intent): Promise<Intended> {
  assertMayBegin(context);
  const intended = await context.intend(operation, intent);
  switch (intended.kind) {
    case 'stale':
      throw new LeaseLost();
    case 'go':
      if (context.signal.aborted) throw new LeaseLost();
      return intended;
    case 'stored':
    case 'unreplicated':
      return intended;
  }
}

/** The part of the port that only reads. */
export type Reads = Pick<Loyalty, 'history' | 'contact'>;

/** AntCRM's reads, none of which begins once the lease is lost or the process is stopping: they throw then. */
export function readsFor(context: EffectContext, loyalty: Reads): Reads {
  return {
    history(query) {
      assertMayBegin(context);
      return loyalty.history(query);
    },
    contact(by: Identifier) {
      assertMayBegin(context);
      return loyalty.contact(by);
    },
  };
}

function assertMayBegin(context: EffectContext): void {
  if (context.signal.aborted) throw new LeaseLost();
  if (context.stopping()) throw new TurnInterrupted();
}
