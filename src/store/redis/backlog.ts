import { OPERATIONS_SEEN, type Waiting } from '../backlog.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { numbersOf } from './answer.ts';
import type { RedisClient } from './client.ts';
import { mostOf } from './most.ts';
import { SHARDS } from './tags.ts';

/** Once a shard has answered, the others are waited for this long. */
const GRACE_MS = 300;

/** `Backlog.backlog`: one script a shard. */
export async function readBacklog({ keys, run }: Pick<RedisClient, 'keys' | 'run'>): Promise<Waiting> {
  const asked = Array.from({ length: SHARDS }, async (_, shard) =>
    waitingOf(await run('backlog', keys().backlog(shard), [Math.ceil(OPERATIONS_SEEN / SHARDS)])),
  );
  const answers = await mostOf(asked, GRACE_MS);
  const shards = answers.flatMap((answer) => (answer?.status === 'fulfilled' ? [answer.value] : []));
  if (shards.length === 0) throw new StoreUnavailable('redis: no shard answers');
  const most = (numbers: readonly number[]): number => Math.max(0, ...numbers);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  return {
    due: {
      count: sum(shards.map(({ due }) => due.count)),
      oldestMs: most(shards.map(({ due }) => due.oldestMs)),
    },
    undeliveredMs: most(shards.map(({ undeliveredMs }) => undeliveredMs)),
    letters: sum(shards.map(({ letters }) => letters)),
    operationsMs: shards.flatMap(({ operationsMs }) => operationsMs),
  };
}

/** What waits in one shard. */
function waitingOf(answer: unknown): Waiting {
  const [count = 0, oldestMs = 0, undeliveredMs = 0, letters = 0, ...operationsMs] = numbersOf(answer);
  return { due: { count, oldestMs }, undeliveredMs, letters, operationsMs };
}
