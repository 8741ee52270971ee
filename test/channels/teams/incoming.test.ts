import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Accept } from '../../../src/channels/channel.ts';
import { TEAMS_HOSTS } from '../../../src/channels/teams/address.ts';
import { parseActivity } from '../../../src/channels/teams/incoming.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { readSamples, recordedSchema } from '../../support/samples.ts';
import { activity, BOT, pressActivity, textActivity, USER } from '../../support/teams-activities.ts';
import { kindsOf } from '../harness.ts';
import { createBot } from './harness.ts';

async function read(sent: object) {
  const { post, accepted } = await createBot();
  const response = await post(sent);
  return { status: response.statusCode, body: response.body, incoming: accepted[0], count: accepted.length };
}

describe('a message', () => {
  it('is handed on with who wrote it and where replies go', async () => {
    const { post, accepted, outgoing } = await createBot();
    const { statusCode, body } = await post(textActivity('tích điểm', { id: 'm-1' }));
    expect([statusCode, body]).toEqual([200, '']);
    const { channel, conversation, address } = outgoing({ key: 'k' });
    const sender = { channel, proof: 'profile', locale: 'vi', name: 'Garnacho' };
    const message = { kind: 'text', text: 'tích điểm' };
    expect(accepted).toEqual([{ channel, conversation, id: 'm-1', message, sender, address }]);
  });

  const contentUrl = 'https://smba.trafficmanager.net/apac/v3/attachments/0-ea/views/original';
  const image = { contentType: 'image/*', contentUrl };
  const file = { contentType: 'application/vnd.microsoft.teams.file.download.info', contentUrl };
  const html = { contentType: 'text/html', content: '<p>T</p>' };
  const remote = { kind: 'remote', at: { url: contentUrl } };
  const mentioned = { id: BOT };
  const mentions = [{ type: 'mention', text: '<at>Điểm &amp; quà</at>', mentioned }];
  const called = '<at>Điểm &amp; quà</at>&nbsp;tích điểm cho <at>x</at>';
  const odd = { text: 7, entities: 'x', attachments: {}, locale: [], value: 'x', channelData: null };
  const unknown = (what: string) => ({ kind: 'unknown', what });
  const photo = (...pictures: object[]) => ({ kind: 'photo', pictures });

  const sending = (...attachments: object[]) => ({ attachments });
  const said = (text: string) => ({ kind: 'text', text });
  const long = `${'x'.repeat(999)}😀`;

  it.each<[what: string, text: string, more: Record<string, unknown>, message: object]>([
    ['loses the mention of the bot', called, { entities: mentions }, said('tích điểm cho <at>x</at>')],
    ['is cut before anybody looks at it', long, {}, said(`${'x'.repeat(999)}\ufffd`)],
    ['may be nothing but video', '', sending({ contentType: 'video/mp4' }), unknown('other')],
    ['of odd shapes is answered', '', odd, unknown('other')],
    ['of files is a photo', '', sending(image, file), photo(remote, { kind: 'elsewhere' })],
    ['of a picture has a caption', 'T', sending(image, html), { ...photo(remote), caption: 'T' }],
    ['of a picture nowhere', '', sending({ contentType: 'image/png' }), photo({ kind: 'unavailable' })],
  ])('%s', async (_what, text, more, message) => {
    expect((await read(textActivity(text, more))).incoming?.message).toEqual(message);
  });
});

describe('a press', () => {
  it('is the choice with its view, and remembers the card', async () => {
    const { incoming } = await read(pressActivity('card-1', { choice: 'confirm:K7M2~v3' }));
    expect(incoming?.message).toEqual({ kind: 'choice', choice: 'confirm:K7M2', view: 'v3' });
    expect(incoming?.press).toEqual({ activity: 'card-1' });
  });

  it('on a form sends its fields, the empty ones too; another button of it is that button', async () => {
    const fields = { code: 'TIVI000000017', phone: ' 0912345678 ', email: '' };
    const form = await read(pressActivity('card-1', { form: 'v3', ...fields }));
    expect(form.incoming?.message).toEqual({ kind: 'form', view: 'v3', ...fields });
    const cancel = await read(pressActivity('card-1', { choice: 'cancel~v3', ...fields }));
    expect(cancel.incoming?.message).toEqual({ kind: 'choice', choice: 'cancel', view: 'v3' });
  });
});

describe('an installation', () => {
  it('is a start, one however Teams tells of it, and another one if the app is added again later', async () => {
    const { post, accepted } = await createBot();
    const install = (more: object) => post(activity('installationUpdate', { action: 'add', ...more }));
    await post(activity('conversationUpdate', { membersAdded: [{ id: USER }, { id: BOT }] }));
    await install({});
    await install({ timestamp: '2027-01-01T00:00:00Z' });
    const [first, told, again] = accepted.map(({ id }) => id);
    expect(told).toBe(first);
    expect(again).not.toBe(first);
    expect(accepted.map(({ message }) => message)).toEqual(Array(3).fill({ kind: 'start' }));
  });
});

it('an invoke is acknowledged, and nothing comes of it', async () => {
  const { status, body, count } = await read(activity('invoke', { name: 'task/fetch', value: {} }));
  expect([status, JSON.parse(body), count]).toEqual([200, {}, 0]);
});

const MEETING = { name: 'application/vnd.microsoft.meetingStart', value: 7 };

it.each([
  ['a meeting that is not as the SDK expects it', activity('event', MEETING), 0],
  ['an edit without what the SDK reads of it', activity('messageUpdate', { channelData: undefined }), 0],
  ['a wish for replies in the answer', textActivity('x', { deliveryMode: 'expectReplies' }), 1],
])('%s breaks nothing, and is answered without a body', async (_what, sent, count) => {
  expect(await read(sent)).toMatchObject({ status: 200, body: '', count });
});

it('of a list, however long, few items are looked at', () => {
  let looks = 0;
  const zeros = new Proxy(Array<number>(100_000).fill(0), {
    get: (list, key) => {
      looks += 1;
      return Reflect.get(list, key);
    },
  });
  const lists = { entities: zeros, attachments: zeros, membersAdded: zeros };
  expect(parseActivity({ type: 'message', ...lists })).toMatchObject({ entities: [], attachments: [] });
  expect(looks).toBeLessThan(2000);
});

it.each<[what: string, status: number, accept: Accept]>([
  ['cannot be stored is asked for again', 503, () => Promise.reject(new StoreUnavailable())],
  ['is one too many is not', 200, async () => 'full'],
])('what %s', async (_what, status, accept) => {
  const { post } = await createBot({ accept });
  expect((await post(textActivity('x'))).statusCode).toBe(status);
});

describe('without authentication', () => {
  const sent = { ...textActivity('hi'), serviceUrl: 'http://127.0.0.1:1/' };
  const local = { method: 'POST', url: '/webhooks/teams', payload: JSON.stringify(sent) } as const;

  it.each<[how: string, sent: object]>([
    ['through a proxy', { headers: { 'x-forwarded-for': '203.0.113.7' } }],
    ['by another site’s page', { headers: { origin: 'https://evil.example' } }],
    ['under a name that was rebound to this machine', { headers: { host: 'evil.example' } }],
    ['from another machine', { remoteAddress: '203.0.113.7' }],
  ])('what comes %s is refused, a program of this machine is heard', async (_how, more) => {
    const { app, accepted, said } = await createBot();
    expect((await app.inject({ ...local, ...more })).statusCode).toBe(403);
    expect([accepted, said]).toEqual([[], expect.arrayContaining(['["update","teams","refused"]'])]);
    expect((await app.inject({ ...local, remoteAddress: '::1' })).statusCode).toBe(200);
    expect(accepted).toHaveLength(1);
  });
});

describe('of what Teams sent, as recorded,', () => {
  it.each(readSamples('replay/teams.jsonl', recordedSchema))(
    '$name is answered with 200 and read as what it is',
    async ({ says, sent }) => {
      const { post, accepted } = await createBot({ serviceHosts: TEAMS_HOSTS });
      expect((await post(z.looseObject({}).parse(sent))).statusCode).toBe(200);
      expect(kindsOf(accepted)).toEqual(says === null ? [] : [says]);
    },
  );
});
