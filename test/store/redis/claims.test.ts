import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { keysOf } from '../../../src/store/redis/keys.ts';
import { message, someName } from '../../contract/store/kit.ts';
import { openProcess, ownRedis } from './kit.ts';

/*
 * Processes that all claim at once must not all try the same conversations.
 */

const WAITING = 600;
/** Free slots of each process, as many as a busy one has. */
const ROOM = 8;
/** What waits has waited for up to so long. */
const OLDEST_MS = 20_000;

for (const [processes, scriptsAWin] of [
  [10, 2.5],
  [30, 5],
] as const) {
  test(`${processes} processes that claim together run at most ${scriptsAWin} claim scripts a win, and count them`, async () => {
    const { port, url } = await ownRedis();
    const admin = new Redis(port);
    onTestFinished(() => admin.disconnect());
    const results: string[] = [];
    const onClaim = (result: string): void => void results.push(result);
    const all = await Promise.all(
      Array.from({ length: processes }, () => openProcess(url, { leaseMs: 600_000, onClaim })),
    );
    const names = Array.from({ length: WAITING }, someName);
    const accepted = names.map((name, at) =>
      all[at % processes]?.store.accept(message(name, 'hello', { take: false })),
    );
    await Promise.all(accepted);
    for (const name of names) {
      const [, , , due = ''] = keysOf(2).conversation(name).own;
      await admin.zadd(due, 'XX', Date.now() - Math.floor(Math.random() * OLDEST_MS), name);
    }

    await admin.config('RESETSTAT');
    const won: string[] = [];
    while (won.length < WAITING) {
      const works = await Promise.all(all.map(({ store }) => store.claim(ROOM)));
      won.push(...works.flat().map(({ conversation }) => conversation));
    }
    const calls = [...(await admin.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
    const scripts = calls.reduce((sum, [, count]) => sum + Number(count), 0);
    expect(won.sort()).toEqual(names.sort());
    expect(scripts / WAITING).toBeLessThan(scriptsAWin);
    expect(results).toHaveLength(scripts);
    expect(results.filter((result) => result === 'won')).toHaveLength(WAITING);
  });
}
