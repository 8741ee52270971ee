import { afterAll, test } from 'vitest';
import { confirmIn, GIFT } from '../support/faults-stories.ts';
import { startFaultsWorld } from '../support/faults-world.ts';
import { snapshot, startRedis } from '../support/redis.ts';

/*
 * A failover loses the last writes of a Redis while a process works on what they said. What was lost is lost; what comes
 * after the failover, and gets its 2xx, is answered.
 */

const world = await startFaultsWorld();
afterAll(() => world.stop());

const PATIENT = { timeout: 30_000 };

/** What the new master does not have of a conversation whose second message is at work. */
const LOST = ['all of it', 'the second message and its hand-over', 'the hand-over alone'] as const;

test.for(LOST)(
  'a message filed after a failover that lost %s is answered, once, though the turn of the one before goes on',
  PATIENT,
  async (lost, { expect, onTestFinished }) => {
    const { customer, redis } = await open(onTestFinished);
    const snapshots = [await snapshot(redis.url)];
    const question = customer.holds(({ key }) => key === 'identity.proofNeeded');
    await customer.writes('/points');
    await question.reached;
    snapshots.push(await snapshot(redis.url));

    const read = world.antcrm.calls.hold(({ at }) => at === 'asked');
    await customer.shares();
    snapshots.push(await snapshot(redis.url));
    question.letGo();
    await read.reached;
    await snapshots[LOST.indexOf(lost)]?.();
    const from = customer.heard.length;
    await customer.writes('help');
    read.letGo();

    await customer.hears(({ key }) => key === 'help', from);
    expect(customer.heard.slice(from).filter(({ key }) => key === 'help')).toHaveLength(1);
  },
);

test(
  'nothing is spent for a confirmation that a failover lost, and the next message is answered',
  PATIENT,
  async ({ expect, onTestFinished }) => {
    const { customer, redis } = await open(onTestFinished);
    await customer.writes(`/redeem ${GIFT}`);
    await customer.hears(({ key }) => key === 'identity.proofNeeded');
    const confirms: string[] = [];
    const summary = customer.holds((message) => {
      if (message.key === 'redeem.summary') confirms.push(confirmIn(message));
      return confirms.length > 0;
    });
    await customer.shares();
    await summary.reached;
    const failOver = await snapshot(redis.url);

    const baseline = world.antcrm.calls.hold(({ route, at }) => route === 'history-point' && at === 'asked');
    await customer.presses(confirms[0] ?? '');
    summary.letGo();
    await baseline.reached;
    await failOver();
    const from = customer.heard.length;
    await customer.writes('help');
    baseline.letGo();

    await customer.hears(({ key }) => key === 'help', from);
    expect(world.antcrm.posts.filter(({ phone }) => phone === customer.phone)).toEqual([]);
  },
);

async function open(finish: (stop: () => Promise<void>) => void) {
  const redis = await startRedis();
  finish(() => redis.stop());
  const bot = await world.bot(redis.url);
  finish(async () => void (await bot.kill()));
  return { redis, customer: await world.customer(() => bot) };
}
