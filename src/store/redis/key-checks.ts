import type { Cluster, Redis } from 'ioredis';
import type { KeyChecks } from '../key-checks.ts';
import { StoreRefused } from '../port.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { confirmed } from './confirmed.ts';
import { mostOf, valuesOf } from './most.ts';

/** Where the check value lies: in two slots, as the layout does, and for the same reason. */
const CHECK_KEYS = ['{e8a}keys', '{bn}keys'] as const;
const GRACE_MS = 100;

/**
 * Verifies the process's keys by the check value, and writes it where there is none. Throws `StoreRefused` where no stored
 * value is opened by them, `StoreUnavailable` where none could be read.
 */
export async function checkKeys(commands: Redis | Cluster, checks: KeyChecks): Promise<void> {
  const asked = CHECK_KEYS.map((key) => confirmed(commands.get(key)));
  const first = valuesOf(await mostOf(asked, GRACE_MS));
  const known = first.some((value) => value !== null) ? first : valuesOf(await Promise.allSettled(asked));
  const stored = [...new Set(known.filter((value) => value !== null))];
  if (stored.length === 0 && known.length < CHECK_KEYS.length) {
    throw new StoreUnavailable('redis: the check value of its keys cannot be read');
  }
  if (stored.length === 0) stored.push(await agree(commands, checks.make()));
  const replacement = verifyAny(stored, checks);
  if (replacement !== null) {
    for (const key of CHECK_KEYS) await confirmed(commands.set(key, replacement));
  } else if (known.includes(null)) {
    for (const key of CHECK_KEYS) await confirmed(commands.set(key, stored[0] ?? '', 'NX'));
  }
}

/** Processes that start together agree: the first one's value is what all of them are checked by. */
async function agree(commands: Redis | Cluster, value: string): Promise<string> {
  const [key] = CHECK_KEYS;
  await confirmed(commands.set(key, value, 'NX'));
  return (await confirmed(commands.get(key))) ?? value;
}

/** There are two where a process died while it replaced them. */
function verifyAny(stored: readonly string[], checks: KeyChecks): string | null {
  let refused: StoreRefused | undefined;
  for (const value of stored) {
    try {
      return checks.verify(value);
    } catch (error) {
      if (!(error instanceof StoreRefused)) throw error;
      refused = error;
    }
  }
  throw refused ?? new Error('there is no check value to verify');
}
