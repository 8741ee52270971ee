import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { TEAMS_HOSTS } from '../../../src/channels/teams/address.ts';
import { parseActivity } from '../../../src/channels/teams/incoming.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { readSamples, recordedSchema } from '../../support/samples.ts';
import { activity, BOT, pressActivity, textActivity, USER } from '../../support/teams-activities.ts';
import { kindsOf } from '../harness.ts';
import { createBot } from './harness.ts';

const contentUrl = 'https://smba.trafficmanager.net/apac/v3/attachments/0-ea/views/original';
const remote = { kind: 'remote', at: { url: contentUrl } };
const file = {
  contentType: 'application/vnd.microsoft.teams.file.download.info',
  name: 'hoá đơn.pdf',
  contentUrl: 'https://shop.sharepoint.com/hoa-don.pdf',
};
const attachments = [{ contentType: 'image/*', contentUrl }, file, { contentType: 'image/png' }];
const pictures = [remote, { kind: 'elsewhere' }, { kind: 'unavailable' }];
const media = [
  { kind: 'picture', at: { url: contentUrl } },
  { kind: 'file', name: 'hoá đơn.pdf' },
  { kind: 'picture' },
];
const entities = [{ type: 'mention', text: '<at>Điểm &amp; quà</at>', mentioned: { id: BOT } }];
const called = '<at>Điểm &amp; quà</at>&nbsp;tích điểm cho <at>x</at>';
const odd = { entities: 'x', attachments: {}, value: 'x', channelData: null };
const long = 'x'.repeat(999);
const fields = { code: 'TIVI000000017', phone: ' 0912345678 ', email: '' };
const confirm = { kind: 'choice', choice: 'confirm:K7M2', view: 'v3' };

it.each<[what: string, sent: object, message: object]>([
  ['a text', textActivity('tích điểm'), { kind: 'text', text: 'tích điểm' }],
  [
    'a text with a mention',
    textActivity(called, { entities }),
    { kind: 'text', text: 'tích điểm cho <at>x</at>' },
  ],
  ['a long text', textActivity(`${long}😀`), { kind: 'text', text: `${long}\ufffd` }],
  ['odd parts', activity('message', { text: 7, ...odd }), { kind: 'unknown', what: 'other' }],
  ['pictures', textActivity('T', { attachments }), { kind: 'photo', pictures, caption: 'T', media }],
  [
    'a recording',
    textActivity('', {
      attachments: [{ contentType: 'audio/ogg', contentUrl }, { contentType: 'text/html' }],
    }),
    { kind: 'unknown', what: 'other', media: [{ kind: 'voice', at: { url: contentUrl } }] },
  ],
  ['a press', pressActivity('card-1', { choice: 'confirm:K7M2~v3' }), confirm],
  ['a form', pressActivity('card-1', { form: 'v3', ...fields }), { kind: 'form', view: 'v3', ...fields }],
  [
    'another button of it',
    pressActivity('card-1', { choice: 'cancel', ...fields }),
    { kind: 'choice', choice: 'cancel' },
  ],
])('%s becomes a message with its sender and the address for replies', async (_what, sent, message) => {
  const { post, accepted, outgoing } = await createBot();
  const { statusCode, body } = await post({ ...sent, id: 'm-1' });
  const { channel, conversation, address } = outgoing({ key: 'k' });
  const sender = { channel, proof: 'profile', locale: 'vi', name: 'Garnacho' };
  const press = 'replyToId' in sent ? { press: { activity: 'card-1' } } : {};
  expect([statusCode, body]).toEqual([200, '']);
  const isTyped = 'kind' in message && !['choice', 'form'].includes(String(message.kind));
  const received = { ...message, ...(isTyped && { ref: 'm-1' }) };
  expect(accepted).toEqual([
    { channel, conversation, id: 'm-1', message: received, sender, address, ...press },
  ]);
});

it('an edit and a deletion name the message; the same edit sent again has the same id', async () => {
  const { post, accepted } = await createBot();
  const at = (minute: number) => ({ id: 'm-1', timestamp: `2026-11-25T08:0${minute}:00.000Z` });
  const edit = (minute: number, text: string) => activity('messageUpdate', { text, ...at(minute) });
  for (const sent of [edit(1, 'a'), edit(1, 'a'), edit(2, 'b'), activity('messageDelete', at(3))])
    await post(sent);
  expect(accepted.map(({ message }) => message)).toEqual([
    { kind: 'edit', of: 'm-1', text: 'a' },
    { kind: 'edit', of: 'm-1', text: 'a' },
    { kind: 'edit', of: 'm-1', text: 'b' },
    { kind: 'edit', of: 'm-1' },
  ]);
  expect(new Set(accepted.map(({ id }) => id)).size).toBe(3);
});

it('an installation is a start, one however Teams tells of it, and another one if the app is added again', async () => {
  const { post, accepted } = await createBot();
  const install = (more: object) => post(activity('installationUpdate', { action: 'add', ...more }));
  await post(activity('conversationUpdate', { membersAdded: [{ id: USER }, { id: BOT }] }));
  await install({ timestamp: '2026-11-25T08:47:59.000Z' });
  await install({ timestamp: '2027-01-01T00:00:00Z' });
  const [first, second, again] = accepted.map(({ id }) => id);
  expect([second === first, again === first]).toEqual([true, false]);
  expect(accepted.map(({ message }) => message)).toEqual(Array(3).fill({ kind: 'start' }));
});

it('an installation without a timestamp counts by the time of its arrival', async () => {
  const { post, accepted } = await createBot();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 25, 8, 47, 10) });
  onTestFinished(() => void vi.useRealTimers());
  const install = () => post(activity('installationUpdate', { action: 'add', timestamp: undefined }));
  await install();
  await install();
  vi.setSystemTime(Date.now() + 5 * 60_000);
  await install();
  const [first, second, again] = accepted.map(({ id }) => id);
  expect([second === first, again === first]).toEqual([true, false]);
});

it.each([
  ['a meeting', activity('event', { name: 'application/vnd.microsoft.meetingStart', value: 7 }), '', 0],
  ['a wish for replies in the answer', textActivity('x', { deliveryMode: 'expectReplies' }), '', 1],
  ['an invoke', activity('invoke', { name: 'task/fetch', value: {} }), '{}', 0],
])('%s breaks nothing', async (_what, sent, body, count) => {
  const { post, accepted } = await createBot();
  const response = await post(sent);
  expect([response.statusCode, response.body, accepted.length]).toEqual([200, body, count]);
});

it('only a few items of a long list are read', () => {
  const attachments = Array(100_000).fill({ contentType: 'image/png' });
  expect(parseActivity({ type: 'message', attachments })?.attachments).toHaveLength(100);
});

it('a message that cannot be stored gets 503, one too many gets 200', async () => {
  const down = await createBot({ accept: () => Promise.reject(new StoreUnavailable()) });
  const full = await createBot({ accept: async () => 'full' });
  const statuses = [await down.post(textActivity('x')), await full.post(textActivity('x'))];
  expect(statuses.map(({ statusCode }) => statusCode)).toEqual([503, 200]);
});

it('without authentication only programs of this machine are accepted', async () => {
  const { app, accepted, observed } = await createBot();
  const payload = JSON.stringify({ ...textActivity('hi'), serviceUrl: 'http://127.0.0.1:1/' });
  const status = async (more: object) =>
    (await app.inject({ method: 'POST', url: '/webhooks/teams', payload, ...more })).statusCode;
  for (const stranger of [
    { headers: { 'x-forwarded-for': '203.0.113.7' } },
    // Another site's page, and a name that was rebound to this machine.
    { headers: { origin: 'https://evil.example' } },
    { headers: { host: 'evil.example' } },
    { remoteAddress: '203.0.113.7' },
  ]) {
    expect([stranger, await status(stranger)]).toEqual([stranger, 403]);
  }
  expect(observed.filter((line) => line === '["update","teams","refused"]')).toHaveLength(4);
  expect([await status({ remoteAddress: '::1' }), accepted.length]).toEqual([200, 1]);
});

it.each(readSamples('replay/teams.jsonl', recordedSchema))(
  '$name, as recorded, becomes the right message',
  async (sample) => {
    const { post, accepted } = await createBot({ serviceHosts: TEAMS_HOSTS });
    expect((await post(z.looseObject({}).parse(sample.sent))).statusCode).toBe(200);
    expect(kindsOf(accepted)).toEqual(sample.says === null ? [] : [sample.says]);
  },
);
