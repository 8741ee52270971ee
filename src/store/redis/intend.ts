import type { Intended, Journal } from '../journal.ts';
import type { Lease } from '../mailbox.ts';
import { bytesOf, listOf, wordOf } from './answer.ts';
import type { RedisClient } from './client.ts';
import type { ScriptArgument } from './overrides/script-call.ts';
import { joinNumbers } from './scripts.ts';
import { runAndWait } from './wait.ts';

/** `Journal.intend`, on a connection of its own where replicas must acknowledge. */
export function createIntend(
  client: RedisClient,
  waitReplicas: number,
): { readonly write: Journal['intend']; close(): void } {
  const waiter = waitReplicas > 0 ? client.dedicated() : null;

  async function write(lease: Lease, operation: string, body: Buffer): Promise<Intended> {
    const { own, intents } = client.keys().conversation(lease.conversation);
    const keys = [...own, intents];
    const args = [
      lease.conversation,
      joinNumbers(lease.fence),
      lease.nonce,
      lease.mark ?? '',
      operation,
      body,
    ];
    if (waiter === null) return intendedOf(await client.run('intend', keys, args));
    return writeAndWait(waiter, keys, args);
  }

  async function writeAndWait(
    connection: NonNullable<typeof waiter>,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<Intended> {
    const { answer, acknowledged } = await runAndWait(connection, waitReplicas, 'intend', keys, args);
    const intended = intendedOf(answer);
    if (intended.kind !== 'go' || acknowledged >= waitReplicas) return intended;
    return { kind: 'unreplicated' };
  }

  return { write, close: () => waiter?.disconnect() };
}

function intendedOf(answer: unknown): Intended {
  const [kind, body] = listOf(answer);
  switch (wordOf(kind)) {
    case 'go':
      return { kind: 'go' };
    case 'stored':
      return { kind: 'stored', body: bytesOf(body) };
    default:
      return { kind: 'stale' };
  }
}
