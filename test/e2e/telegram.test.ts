import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { accumulation, choosesGift, entersCode, flowTests, OWN_PHONE, PHONE, proves } from './flows.ts';
import { ANTCRM_TIMEOUT_MS, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.sandbox.reset());

flowTests(
  () => world,
  (language) => world.chat(language),
);

test('a deep link begins earning the points of its code', async () => {
  const chat = world.chat('vi');
  await chat.writes('/start TIVInpmx8b98pfg');
  await chat.hears('accumulate.askPhone');
  await chat.shares(OWN_PHONE);
  await chat.hears('accumulate.askEmail');
  await chat.presses('skip');
  expect(await chat.hears('accumulate.summary')).toContain('TIVInpmx8b98pfg');
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
});

test('an update that comes twice is answered once', async () => {
  const chat = world.chat('en');
  const update = await chat.writes('earn TIVI000000002');
  await chat.send(update);
  await chat.hears('accumulate.askPhone');
  await chat.send(update);
  await chat.writes('help');
  await chat.hears('help');
});

test('ten fast messages are answered one by one, in order, though the first takes long', async () => {
  const chat = world.chat('en');
  await chat.writes('my points');
  await world.sandbox.fault({ call: 'contacts', fault: 'slow', ms: 300 });
  await proves(chat);
  const codes = Array.from({ length: 10 }, (_, index) => `TIVI00000001${index}`);
  for (const code of codes) await chat.writes(accumulation(code));
  await chat.hears('points.balance');
  await chat.hears('privacy.consent');
  for (const code of codes) expect(await chat.hears('accumulate.summary')).toContain(code);
});

test('a confirm button pressed again spends once and says that it is out of date', async () => {
  const chat = world.chat('en');
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  const again = chat.button('confirm');
  const press = await chat.presses('confirm');
  await chat.send(again);
  await chat.send(press);
  await chat.hears('redeem.done', 'receipt.redeem');
  await chat.hears('privacy.consent');
  await chat.seesRemark(again, 'choice.expired');
  expect(await world.sandbox.records('gift', PHONE)).toHaveLength(before.length + 1);
  expect(chat.unread).toEqual([]);
});

test('a redemption whose answer was lost is looked up, and its result told unasked', async () => {
  const chat = world.chat('vi');
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  await world.sandbox.fault({ call: 'redeem', fault: 'lose-answer' });
  await chat.presses('confirm');
  await chat.hears('operation.checking_redeem');
  await chat.hears('operation.resolved.done', 'receipt.redeem');
  expect(await world.sandbox.records('gift', PHONE)).toHaveLength(before.length + 1);
});

test('an accumulation whose answer was lost is looked up, and its result told unasked', async () => {
  const chat = world.chat('en');
  await entersCode(chat, 'TIVI000000020');
  await world.sandbox.fault({ call: 'accumulate', fault: 'lose-answer' });
  await chat.presses('confirm');
  await chat.hears('operation.checking_accumulate');
  await chat.hears('operation.resolved.done', 'receipt.accumulate');
  expect(await world.sandbox.records('point', '0912345678')).toMatchObject([{ status: 1 }]);
});

test('a redemption that AntCRM shows late is found by a later check, and another one waits for it', async () => {
  const chat = world.chat('en');
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  await world.sandbox.fault({ call: 'redeem', fault: 'late-record', ms: ANTCRM_TIMEOUT_MS + 400 });
  await chat.presses('confirm');
  await chat.hears('operation.checking_redeem');
  await chat.writes('/redeem DAUMAY01');
  await chat.hears('operation.busy_reference');
  await chat.hears('operation.resolved.done', 'receipt.redeem');
  await chat.writes('/redeem DAUMAY01');
  await proves(chat);
  await chat.hearsOneOf(['redeem.summary']);
  await chat.presses('confirm');
  await chat.hears('redeem.done');
  expect(await world.sandbox.records('gift', PHONE)).toHaveLength(before.length + 2);
});

test('a redemption that never reached the books is told as not applied, and may be confirmed anew', async () => {
  const chat = world.chat('vi');
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  await world.sandbox.fault({ call: 'redeem', fault: 'error-500' });
  await chat.presses('confirm');
  await chat.hears('operation.checking_redeem');
  await chat.hears('operation.resolved.notApplied');
  expect(await world.sandbox.records('gift', PHONE)).toEqual(before);
});

test("somebody else's contact opens nobody's history", async () => {
  const chat = world.chat('en');
  await chat.writes('history of earned points, 30 days');
  await chat.hears('identity.proofNeeded');
  await chat.writes(PHONE);
  await chat.hears('identity.proofNeeded_typed');
});
