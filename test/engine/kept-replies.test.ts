import { expect, test } from 'vitest';
import type { Reply } from '../../src/conversation/reply.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Delivery, Platform } from '../../src/engine/messages.ts';
import { conversation, createWorld, incoming } from './bot.ts';

/* What was said about points is never dropped: it becomes a letter, and the next message brings it. */

const RECEIPT: Reply = {
  key: 'redeem.done',
  params: { reference: 'REF1' },
  lines: [{ key: 'receipt.giftCode', params: { code: 'AAAA-BBBB-CCCC' } }],
  choices: [{ id: 'menu', label: { key: 'choice.menu' } }],
  image: 'https://shop.example/loa.png',
  qr: 'AAAA-BBBB-CCCC',
};
const HOUR = 3_600_000;

/** A bot that answers "points" with a receipt and a second reply. `deliver` says what the platform does. */
function createShop(deliver: (reply: Reply, tries: number) => Promise<Delivery>) {
  const world = createWorld();
  const tried: Reply[] = [];
  const step: typeof conversation.step = (state, input, context) => {
    const decision = conversation.step(state, input, context);
    const isAsked =
      input.kind === 'message' && input.message.kind === 'text' && input.message.text === 'points';
    return isAsked ? { ...decision, replies: [RECEIPT, { key: 'privacy.consent' }] } : decision;
  };
  const platform: Platform = {
    async deliver(outgoing, seq) {
      tried.push(outgoing.reply);
      const times = tried.filter(({ key }) => key === outgoing.reply.key).length;
      const delivery = await deliver(outgoing.reply, times);
      return delivery.kind === 'delivered' ? world.platform.deliver(outgoing, seq) : delivery;
    },
  };
  const engine = world.engine({
    conversation: { ...conversation, step },
    platform: (name) => (name === 'test' ? platform : undefined),
  });
  return { ...world, engine, tried };
}

const delivered: Delivery = { kind: 'delivered' };
const never = new Promise<Delivery>(() => {});
const isReceipt = ({ key }: Reply) => key === RECEIPT.key;

test('a receipt whose picture ends each process arrives as text alone, and what is behind it as it is', async () => {
  const shop = createShop(async (reply) => (reply.qr === undefined ? delivered : never));
  await shop.engine.accept(incoming('points'));
  await shop.quiet();
  expect(shop.answers()).toEqual(['redeem.done', 'privacy.consent']);
  const { choices, image, qr, ...plain } = RECEIPT;
  expect(shop.sent[0]?.outgoing.reply).toEqual(plain);
  expect(shop.tried.filter(isReceipt)).toHaveLength(3);
  expect(shop.alarms).toEqual([]);
  expect((await shop.record())?.dead).toEqual([]);
});

test('a receipt that ends each process even so is kept, and told first with the next message', async () => {
  let isIll = true;
  const shop = createShop(async (reply) => (isIll && isReceipt(reply) ? never : delivered));
  await shop.engine.accept(incoming('points'));
  await shop.quiet();
  expect(shop.answers()).toEqual(['privacy.consent']);
  expect(shop.tried.filter(isReceipt)).toHaveLength(LIMITS.attempts);
  expect(shop.alarms.map(({ name }) => name)).toEqual(['delivery_given_up']);
  const [letter] = await shop.operators.letters();
  expect(letter).toMatchObject({ reason: 'undelivered', holds: { kept: { reply: { key: 'redeem.done' } } } });
  isIll = false;
  await shop.engine.accept(incoming('hello'));
  await shop.quiet();
  expect(shop.answers().slice(1)).toEqual(['delivery.missed', 'redeem.done', 'points hello']);
  expect(shop.sent[2]?.outgoing.reply.lines).toEqual(RECEIPT.lines);
  expect(await shop.operators.letters()).toEqual([]);
});

test.each([
  ['was perhaps delivered too often', { kind: 'uncertain' }],
  ['could not be delivered for a day', { kind: 'undelivered' }],
  ['was refused', { kind: 'rejected' }],
] as const)('a receipt that %s is kept, other replies are dropped', async (_, fault) => {
  const shop = createShop(async () => fault);
  await shop.engine.accept(incoming('points'));
  await shop.quiet(HOUR);
  const { dead, outbox } = (await shop.record()) ?? {};
  expect(outbox).toEqual([]);
  expect(dead).toEqual([expect.objectContaining({ reason: 'undelivered' })]);
});

test('a customer who blocked the bot gets no letter', async () => {
  const shop = createShop(async () => ({ kind: 'unreachable', blocked: true }));
  await shop.engine.accept(incoming('points'));
  await shop.quiet();
  expect(await shop.record()).toMatchObject({ dead: [], outbox: [] });
});

test('an outcome is stored durably before the lock of its customer is given back', async () => {
  const world = createWorld();
  const swaps: boolean[] = [];
  const { compareAndSwap } = world.store;
  const store = {
    ...world.store,
    compareAndSwap: (...[key, swap]: Parameters<typeof compareAndSwap>) => {
      if (key.startsWith('c:')) swaps.push(swap.durable === true);
      return compareAndSwap(key, swap);
    },
  };
  await world.engine({ store }).accept(incoming('redeem:op1'));
  await world.quiet();
  // Filed, the intent, the outcome, the release.
  expect(swaps).toEqual([false, true, true, false]);
});

test('operators send a kept receipt once more, or end it', async () => {
  const shop = createShop(async (reply, tries) =>
    isReceipt(reply) && tries === 1 ? { kind: 'rejected' } : delivered,
  );
  await shop.engine.accept(incoming('points'));
  await shop.quiet();
  const [letter] = await shop.operators.letters();
  expect(await shop.operators.replay(letter?.id ?? '')).toBe('filed');
  await shop.quiet();
  expect(shop.answers()).toEqual(['privacy.consent', 'redeem.done']);
  expect(await shop.operators.replay(letter?.id ?? '')).toBe('unknown');
  const other = createShop(async (reply) => (isReceipt(reply) ? { kind: 'rejected' } : delivered));
  await other.engine.accept(incoming('points'));
  await other.quiet();
  const [kept] = await other.operators.letters();
  expect(await other.operators.remove(kept?.id ?? '')).toBe(true);
  await other.engine.accept(incoming('hello'));
  await other.quiet();
  expect(other.answers()).toEqual(['privacy.consent', 'points hello']);
});

test('leases that end before the sending began count against no reply', async () => {
  const shop = createShop(async (_, tries) => (tries === 1 ? never : delivered));
  await shop.engine.accept(incoming('points'));
  await expect.poll(() => shop.tried.length).toBe(1);
  // Processes take the lease and end at once, again and again.
  for (let n = 0; n < 2 * LIMITS.attempts; n++) {
    await shop.rewrite((record) => ({
      ...record,
      runOuts: record.runOuts + 1,
      lease: { owner: `dead${n}`, untilMs: 0, step: 0, takeover: true },
    }));
  }
  await shop.quiet();
  expect(shop.answers()).toEqual(['redeem.done', 'privacy.consent']);
  expect(shop.sent[0]?.outgoing.reply.qr).toBe(RECEIPT.qr);
});
