import { type Intended, type Lease, type Mailbox, StoreUnavailable } from '../mailbox.ts';
import { bytesOf, listOf, wordOf } from './answer.ts';
import type { RedisClient } from './client.ts';
import { confirmed, reason } from './confirmed.ts';
import { conversationKeys } from './keys.ts';
import type { ScriptArgument } from './script-call.ts';
import { joinNumbers, runScript, SCRIPTS } from './scripts.ts';

/** How long replicas may take to acknowledge an intent. */
const WAIT_MS = 1000;

/**
 * `Mailbox.intend`. Where replicas must acknowledge, the script goes out on a connection of its own, because `WAIT`
 * stalls the connection it waits on, and as source, because a script that Redis does not know would be sent again
 * behind the `WAIT`. `WAIT` counts the replicas that have all that this connection wrote.
 */
export function createIntend(
  client: RedisClient,
  waitReplicas: number,
): { readonly write: Mailbox['intend']; close(): void } {
  const waiter = waitReplicas > 0 ? client.dedicated() : null;

  async function write(lease: Lease, operation: string, body: Buffer): Promise<Intended> {
    const { own, intents } = conversationKeys(lease.conversation);
    const keys = [...own, intents];
    const args = [lease.conversation, joinNumbers(lease.fence), lease.nonce, operation, body];
    if (waiter === null) return intendedOf(await runScript(client.commands, 'intend', keys, args));
    return writeAndWait(waiter, keys, args);
  }

  async function writeAndWait(
    connection: NonNullable<typeof waiter>,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<Intended> {
    const pipeline = connection.pipeline();
    pipeline.callBuffer('EVAL', SCRIPTS.intend.lua, keys.length, ...keys, ...args);
    pipeline.wait(waitReplicas, WAIT_MS);
    const results = await confirmed(pipeline.exec(), 2 * WAIT_MS);
    const [[failed, answer] = [], [, acknowledged] = []] = results ?? [];
    if (failed || answer === undefined) throw new StoreUnavailable(`redis: ${reason(failed)}`);
    const intended = intendedOf(answer);
    if (intended.kind !== 'go' || Number(acknowledged ?? 0) >= waitReplicas) return intended;
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
