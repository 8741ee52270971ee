/**
 * Writes what this version of the code stores: `test/states/<version>.jsonl` and `test/bodies/<version>.jsonl`, a sample a
 * line, with the hashes of the shapes beside. They come from whole conversations of the real bot over its embedded store. Run
 * once for a version, by the code of that version; what is frozen is never written again (CONTRIBUTING.md, "What is stored").
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { VERSION } from '../../src/conversation/state.ts';
import { type ConversationRecord, readRecord } from '../../src/engine/record.ts';
import type { AntCrmClient } from '../../src/loyalty/antcrm.ts';
import type { CallOutcome, LoyaltyRecord } from '../../src/loyalty/port.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { RecordStore } from '../../src/store/port.ts';
import { shapes } from './shapes.ts';
import { activity, pressActivity, textActivity } from './teams-activities.ts';
import { createPerson } from './telegram-updates.ts';

const file = (name: string): string => join(import.meta.dirname, '..', name);
if (existsSync(file(`states/${VERSION}.jsonl`))) throw new Error(`version ${VERSION} is frozen`);

function write(kind: 'states' | 'bodies', name: string, body: unknown): void {
  appendFileSync(file(`${kind}/${VERSION}.jsonl`), `${JSON.stringify({ name, body })}\n`);
}

/** What the store was last given. */
const last: {
  state?: unknown;
  woken?: unknown;
  outbox: unknown[];
  message?: unknown;
  intent?: unknown;
  dead?: unknown;
} = { outbox: [] };

function watching(store: RecordStore): RecordStore {
  const records = new Map<string, ConversationRecord>();
  return {
    ...store,
    async swap(key, swap) {
      const swapped = await store.swap(key, swap);
      if (!swapped.swapped || swap.bytes === null || !key.startsWith('c:')) return swapped;
      const record = readRecord(encryption.open(key, swap.bytes));
      note(records.get(key), record);
      records.set(key, record);
      return swapped;
    },
  };
}

function note(before: ConversationRecord | undefined, record: ConversationRecord): void {
  const { inbox, outbox, journal, dead, inSeq, outSeq } = record;
  if (inSeq > (before?.inSeq ?? 0)) last.message = inbox.at(-1)?.body;
  const call = Object.entries(journal).find(([operation]) => before?.journal[operation] === undefined);
  if (call) last.intent = call[1].body;
  const letter = dead.find(({ id, atMs }) => !before?.dead.some((one) => one.id === id && one.atMs === atMs));
  if (letter) last.dead = typeof letter.body === 'string' ? JSON.parse(letter.body) : letter.body;
  if (record.state === null || record.state === before?.state) return;
  const state: unknown = JSON.parse(record.state);
  if (inbox.length === before?.inbox.length) last.woken = state;
  else {
    const replies = outbox.filter(({ seq }) => seq > (before?.outSeq ?? 0) && seq <= outSeq);
    Object.assign(last, { state, outbox: replies.map(({ body }) => body) });
  }
}

/** How AntCRM is to behave; the sandbox answers what is left undefined. `breaks`: every step throws. */
type Plan = {
  outcome?: CallOutcome['kind'] | undefined;
  records?: LoyaltyRecord[] | undefined;
  breaks?: boolean;
};
const plan: Plan = {};
const plans = (change: Plan) => async () => {
  Object.assign(plan, change);
};
function planned(antcrm: AntCrmClient): AntCrmClient {
  return {
    ...antcrm,
    accumulate: async (request) => (plan.outcome ? { kind: plan.outcome } : antcrm.accumulate(request)),
    redeem: async (request) => (plan.outcome ? { kind: plan.outcome } : antcrm.redeem(request)),
    isUp() {
      if (plan.breaks) throw new Error('planned');
      return antcrm.isUp();
    },
    async history(query) {
      const { records } = plan;
      return records ? { ok: true, value: { records, full: false } } : antcrm.history(query);
    },
  };
}

const NOWHERE = 'http://127.0.0.1:9';
const read = readConfig({
  LOG_LEVEL: 'silent',
  PORT: '0',
  TEAMS_AUTH: 'off',
  TELEGRAM_BOT_TOKEN: '1:telegram-token-of-the-frozen-files',
  TELEGRAM_WEBHOOK_SECRET: 'secret-of-the-frozen-files',
  TELEGRAM_API_ROOT: NOWHERE,
});
if (!read.ok) throw new Error(read.faults.join('\n'));
const { antcrm, keys, settings } = read.config;
const encryption = createEncryption({ key: keys.state, hashKey: keys.hash });
const app = await createApp(
  {
    ...read.config,
    antcrm: { ...antcrm, timeoutMs: 500 },
    settings: { ...settings, operationChecksMs: [500, 1500, 4000] },
  },
  { around: { store: watching, antcrm: planned } },
);
const { url } = await app.listen();
await app.start();

async function post(path: string, content: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/webhooks/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(content),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.text();
}

type Choices = { replies: { choices?: { id: string }[] }[] };

/** A customer on the staff webhook, as a customer of Telegram unless told otherwise. */
function customer(conversation: string, as = 'telegram') {
  let choices: string[] = [];
  async function send(content: object): Promise<void> {
    const { replies }: Choices = JSON.parse(
      await post('staff', { conversation, as, locale: 'vi', ...content }),
    );
    choices = replies.findLast((reply) => reply.choices)?.choices?.map(({ id }) => id) ?? choices;
  }
  return {
    text: (text: string) => send({ text }),
    /** A button of the last question, by its id or by the id's beginning. */
    press: (id: string) => send({ choice: choices.find((one) => one.startsWith(id)) ?? id }),
    send,
    phone: () => send({ contact: { phone: '0867123456' } }),
  };
}

function freezeState(name: string): void {
  if (last.state) write('states', name, last.state);
}
/** Waits for a wake-up that leaves an operation so. */
async function until(status: string): Promise<void> {
  while (!last.woken || !JSON.stringify(last.woken).includes(`"status":"${status}"`)) await delay(20);
  last.state = last.woken;
}

/** Goes through a conversation and freezes the state after each of its steps, by name. */
async function story(
  name: string,
  steps: (
    who: ReturnType<typeof customer>,
  ) => readonly (readonly [name: string, step: () => Promise<void>])[],
  as?: string,
): Promise<void> {
  for (const [step, take] of steps(customer(name, as))) {
    await take();
    if (step !== '') freezeState(`${name}-${step}`);
  }
}

await story('accumulate', (who) => [
  ['asking-code', () => who.text('tích điểm')],
  ['asking-code-tried', () => who.text('???')],
  ['asking-phone', () => who.text('TIVI000000101')],
  ['offering-mapped-phone', () => who.text('01667123456')],
  ['', () => who.press('other')],
  ['asking-email', () => who.text('0867123456')],
  ['offering-email', () => who.text('garnacho@gmial.com')],
  ['confirming', () => who.press('use')],
  ['editing-code', () => who.press('edit:code')],
  ['', () => who.text('TIVI000000102')],
  ['consenting', () => who.press('confirm')],
  ['remembered', () => who.press('consent:accept')],
  ['offering-known-phone', () => who.text('tích điểm TIVI000000103')],
]);
await story('refused', (who) => [
  ['', () => who.text('tích điểm TIVI000000104 0867123457')],
  ['', () => who.press('skip')],
  ['', plans({ outcome: 'refused' })],
  ['asking-code', () => who.press('confirm')],
]);
plan.outcome = undefined;
await story('redeem', (who) => [
  ['asking-gift', () => who.text('đổi quà')],
  ['asking-phone', () => who.press('gift:DAUMAY01')],
  ['confirming', () => who.phone()],
  ['consenting', () => who.press('confirm')],
  ['consent-unanswered', () => who.text('xin chào')],
]);
await story('history', (who) => [
  ['asking-phone', () => who.text('lịch sử')],
  ['', () => who.text('lịch sử tích điểm và đổi quà')],
  ['asking-type', () => who.phone()],
  ['asking-period', () => who.text('lịch sử tích điểm 32/8/2026')],
  ['browsing', () => who.press('period:all')],
  ['second-page', () => who.press('next')],
]);
await story('points', (who) => [
  ['asking-phone', () => who.text('điểm của tôi')],
  ['consenting', () => who.phone()],
  ['declined', () => who.press('consent:decline')],
]);
await story('idle', (who) => [
  ['welcomed', () => who.send({ start: '' })],
  ['with-phone', () => who.text('0867123456')],
  ['in-english', () => who.press('language:en')],
]);
await story('staff', (who) => [['redeem-confirming', () => who.text('đổi DAUMAY01 0867123456')]], 'staff');

const redeems = (who: ReturnType<typeof customer>) =>
  [
    ['', () => who.text('đổi DAUMAY01')],
    ['', () => who.phone()],
  ] as const;
const outboxKinds: Record<string, unknown> = {};
async function replies(name: string, take: () => Promise<void>): Promise<void> {
  await take();
  last.outbox.forEach((body, at) => {
    outboxKinds[`${name}-${at + 1}`] = body;
  });
}

const spender = customer('unlocks');
for (const [, take] of redeems(spender)) await take();
await replies('unlock', () => spender.press('confirm'));

const record = (id: string): LoyaltyRecord => ({
  ...{ id, type: 'gift', status: 'succeeded', score: 10, what: 'Đầu máy', code: 'DAUMAY01' },
  atMs: Date.now(),
});
plan.outcome = 'unknown';
plan.records = [];
await story('redemption', (who) => [
  ...redeems(who),
  ['checking', () => who.press('confirm')],
  ['watching', () => until('watching')],
]);
if (last.intent) write('bodies', 'intent-redeem', last.intent);
await story('escalation', (who) => [
  ...redeems(who),
  ['', () => who.press('confirm')],
  ['', plans({ records: [record('64db2c11cbad5f4fdd254567'), record('64db2c11cbad5f4fdd254568')] })],
  ['escalated', () => until('escalated')],
]);
await story('accumulation', (who) => [
  ['', () => who.text('tích điểm TIVI000000105 0867123456')],
  ['', () => who.press('skip')],
  ['checking', () => who.press('confirm')],
]);
if (last.intent) write('bodies', 'intent-accumulate', last.intent);
plan.outcome = undefined;
plan.records = undefined;

const one = customer('replies');
await replies('reply-menu', () => one.text('xin chào'));
await replies('reply-question-with-form', () => one.text('tích điểm'));
await replies('reply-summary', () => one.text('TIVI000000107 0867123456 garnacho@gmail.com'));
await replies('reply-receipt', () => one.press('confirm'));
await replies('reply-share-phone', () => one.text('lịch sử tích điểm và đổi quà'));
await replies('reply-type', () => one.phone());
await replies('reply-page', () => one.press('history:point'));
await replies('reply-expired-button', () => one.send({ choice: 'confirm:GONE~gone' }));
await replies('reply-forgotten', () => one.text('/forget'));
for (const [name, body] of Object.entries(outboxKinds)) if (body) write('bodies', name, body);

async function message(name: string, send: () => Promise<unknown>): Promise<void> {
  await send();
  if (last.message) write('bodies', `message-${name}`, last.message);
}
const teller = (content: object, more: object = {}) => customer('messages').send({ ...content, ...more });
await message('staff-text', () => teller({ text: 'xin chào', name: 'Garnacho' }));
await message('staff-choice', () => teller({ choice: 'redeem~v1' }));
await message('staff-contact', () => teller({ contact: { phone: '0867123456', own: false } }));
await message('staff-form', () =>
  teller({ form: { code: 'TIVI000000108', phone: '0867123456', email: '' } }),
);
await message('staff-start', () => teller({ start: 'TIVI000000109' }));
await message('staff-photo', () => teller({ photo: 'aGVsbG8=' }));

const secret = { 'x-telegram-bot-api-secret-token': 'secret-of-the-frozen-files' };
const person = createPerson(8_675_309);
const telegram = (update: unknown) => post('telegram', update, secret);
await message('telegram-text', () => telegram(person.writes('tích điểm')));
await message('telegram-press', () => telegram(person.presses('redeem~v1', 5001)));
await message('telegram-contact', () => telegram(person.shares('84867123456')));
await message('telegram-start', () => telegram(person.writes('/start TIVI000000110')));
await message('telegram-sticker', () => telegram(person.sends({ sticker: { file_id: 's' } })));
await message('telegram-photo', () =>
  telegram(person.sends({ photo: [{ file_id: 'f', width: 90, height: 90 }], caption: 'tích điểm' })),
);
const group = {
  chat: { id: -100, type: 'supergroup', title: 'Shop' },
  message_thread_id: 7,
  is_topic_message: true,
};
await message('telegram-group', () => telegram(person.sends({ text: '/start@loyalty_bot', ...group })));

const teams = (content: unknown) => post('teams', content);
const personal = { serviceUrl: `${NOWHERE}/teams` };
await message('teams-text', () => teams(textActivity('tích điểm', personal)));
const press = { choice: 'redeem~v1', label: 'Đổi quà', said: ['Bạn cần gì?'] };
await message('teams-press', () => teams(pressActivity('card-1', press, personal)));
const form = { form: 'v1', code: 'TIVI000000111', phone: '0867123456', email: '', said: [] };
await message('teams-form', () => teams(pressActivity('card-2', form, personal)));
await message('teams-file', () =>
  teams(
    activity('message', { ...personal, attachments: [{ contentType: 'image/png', contentUrl: NOWHERE }] }),
  ),
);

/** A turn that throws leaves its message to operators, a wake-up its state. */
async function letter(name: string): Promise<void> {
  while (!last.dead) await delay(20);
  write('bodies', `letter-${name}`, last.dead);
  delete last.dead;
}
const unlucky = customer('unlucky');
for (const [, take] of redeems(unlucky)) await take();
plan.outcome = 'unknown';
await unlucky.press('confirm');
plan.breaks = true;
await letter('state');
await unlucky.text('xin chào');
await letter('message');

plan.breaks = false;

// Somebody to whom no reply is on its way.
const photographer = createPerson(8_675_310);
delete last.state;
await telegram(photographer.sends({ photo: [{ file_id: 'f' }], media_group_id: '7', caption: 'tích điểm' }));
while (last.state === undefined) await delay(5);
write('states', 'gathering-album', last.state);

writeFileSync(file(`bodies/${VERSION}-shapes.json`), `${JSON.stringify(shapes(), null, 2)}\n`);
await app.stop();
process.exit(0);
