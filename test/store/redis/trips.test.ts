import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '../../../src/store/redis/client.ts';
import { startBot } from '../../support/app.ts';
import { confirmIn, earning, GIFT, isSummary } from '../../support/faults-stories.ts';
import { startFaultsWorld } from '../../support/faults-world.ts';
import { addressOf } from '../../support/redis.ts';
import { memoryLog, ownProxy, ownRedis, stopAtEnd } from './kit.ts';

/** No sweep and no renewal in the time of a test: what Redis is asked is asked for the turn at work. */
const QUIET = { sweepMs: 600_000, renewMs: 600_000, leaseMs: 600_000 };

/** What has left is counted for the pace a tenth of a second later, in the bot's process, which is this one. */
const COUNTED_MS = 200;

/** A whole bot, with what it asks Redis on the wire, and a customer with points. */
async function open() {
  const world = stopAtEnd(await startFaultsWorld());
  const { port } = await ownRedis();
  const proxy = await ownProxy(port);
  const news = new EventEmitter();
  let before: readonly string[] | undefined;
  const bot = stopAtEnd(
    // Nobody sweeps: a call that runs out of its time would never be looked up.
    await startBot(
      { ...world.env(proxy.url), ANTCRM_TIMEOUT_MS: '30000' },
      {
        limits: QUIET,
        store: { leaseMs: QUIET.leaseMs },
        around: {
          store: (store) => ({
            ...store,
            async release(...lease) {
              const next = await store.release(...lease);
              if (next === null) news.emit('rest');
              return next;
            },
          }),
          channel: (channel) => ({
            ...channel,
            deliver(...reply) {
              before ??= [...proxy.commands];
              return channel.deliver(...reply);
            },
          }),
        },
      },
    ),
  );
  const customer = await world.customer(() => bot);
  const probe = new Redis(proxy.url);
  onTestFinished(() => probe.disconnect());
  await probe.ping();

  /** What Redis is asked between an update and the moment when the first reply to it leaves. Resolves after the turn. */
  async function asked(update: () => Promise<unknown>): Promise<readonly string[]> {
    const rest = once(news, 'rest');
    proxy.commands.splice(0);
    before = undefined;
    await update();
    await rest;
    // A client that heard nothing for a while asks whether Redis is there: no part of a turn.
    const asking = (before ?? []).filter((name) => name !== 'ping');
    await delay(COUNTED_MS);
    // What was written before this has come to the proxy by then.
    for (let n = 0; n < 3; n++) await probe.ping();
    return asking;
  }
  return { asked, customer, world };
}

const times = (count: number): string[] => Array.from({ length: count }, () => 'evalsha');

test('before the reply leaves Redis is asked twice; four times where points are earned, three more for each further code, six times where they are spent', async () => {
  const { asked, customer, world } = await open();
  /** Everything that a customer does, from the first word on. */
  async function story() {
    const code = world.code();
    const word = await asked(() => customer.writes(earning(code, customer)));
    const earn = await customer.hears(isSummary(code));
    const earned = await asked(() => customer.presses(confirmIn(earn)));
    const [one, two, three] = [world.code(), world.code(), world.code()];
    await asked(() => customer.writes(earning([one, two, three].join(' '), customer)));
    const all = await customer.hears(isSummary(three));
    const several = await asked(() => customer.presses(confirmIn(all)));
    const from = customer.heard.length;
    const gift = await asked(() => customer.writes(`/redeem ${GIFT}`));
    const proof = await asked(() => customer.shares());
    const spend = await customer.hears(({ key }) => key === 'redeem.summary', from);
    const spent = await asked(() => customer.presses(confirmIn(spend)));
    return { word, earned, several, gift, proof, spent };
  }
  await story(); // Redis gets to know the scripts.
  const said = customer.heard.length;
  expect(await story()).toEqual({
    word: times(2),
    earned: times(4),
    several: times(10),
    gift: times(2),
    proof: times(2),
    // Its own id and its phone are locked.
    spent: ['evalsha', 'hget', ...times(4)],
  });
  const results = customer.heard
    .slice(said)
    .flatMap(({ key }) => (/\.done(_several)?$/.test(key ?? '') ? [key] : []));
  expect(results).toEqual(['accumulate.done', 'accumulate.done_several', 'redeem.done']);
});

/** Goes of the event loop, and what each of them asks. */
const GOES = 20;
const COMMANDS = 100;

test('what one go of the event loop asks of Redis arrives there at once', async () => {
  const { port, url } = await ownRedis();
  const admin = new Redis(port);
  const { commands, close } = await connectRedis(addressOf(url), memoryLog());
  const reads = async (): Promise<number> =>
    Number(/total_reads_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);

  const before = await reads();
  for (let go = 0; go < GOES; go++) {
    await Promise.all(Array.from({ length: COMMANDS }, () => commands.time()));
  }
  const made = (await reads()) - before;
  admin.disconnect();
  await close();
  // What a network cuts arrives in two parts; written one by one, the commands of a go take ten reads and more.
  expect(made).toBeLessThan(2 * GOES);
});
