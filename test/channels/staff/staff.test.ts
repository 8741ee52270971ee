import { describe, expect, it } from 'vitest';
import type { StaffEvent } from '../../../src/channels/staff/schemas.ts';
import { MAX_STAFF_PHOTO } from '../../../src/channels/staff/schemas.ts';
import type { PhotoReading } from '../../../src/conversation/message.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { createMemoryFeed } from '../../../src/store/memory.ts';
import type { Feed } from '../../../src/store/port.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { readerOf } from '../../support/photos.ts';
import { outgoingOf } from '../harness.ts';
import { type Kit, startKit } from './kit.ts';

const QUESTION: Reply = {
  key: 'accumulate.askPhone',
  choices: [{ id: 'cancel', label: { key: 'button.cancel' } }],
  asks: 'phone',
  view: 'v3k',
};

describe('an answer', () => {
  it('has the shape of the contract', async () => {
    const { post } = await startKit({ answer: () => [{ key: 'conversation.expired' }, QUESTION] });
    const response = await post({ conversation: 'qa-42', text: 'tích điểm', locale: 'vi', name: 'Garnacho' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      conversation: 'qa-42',
      status: 'done',
      replies: [
        { seq: 1, key: 'conversation.expired', text: 'vi:conversation.expired' },
        {
          seq: 2,
          key: 'accumulate.askPhone',
          text: 'vi:accumulate.askPhone',
          choices: [{ id: 'cancel', label: 'vi:button.cancel' }],
          asks: 'phone',
          view: 'v3k',
        },
      ],
      state: { flow: 'accumulate', asks: 'phone' },
    });
  });

  it('has only the replies to its own message, and is "duplicate" for an id that came before', async () => {
    const { client, accepted, deliver } = await startKit({ answer: () => [QUESTION] });
    await deliver('qa', [{ key: 'operation.resolved.done' }]);
    const message = { conversation: 'qa', text: 'hi', id: 'm1' };
    expect(await client.send(message)).toMatchObject({ replies: [{ key: QUESTION.key, seq: 2 }] });
    const state = { flow: 'accumulate', asks: 'phone' };
    const again = await client.send(message);
    expect(again).toEqual({ conversation: 'qa', status: 'duplicate', replies: [], state });
    expect(accepted).toHaveLength(1);
  });
});

const READ: PhotoReading = { kind: 'read', texts: ['a code'] };
const photoReader = readerOf(READ);

describe('a request', () => {
  it.each([
    [{ text: 'a'.repeat(2000) }, { kind: 'text', text: 'a'.repeat(1000) }],
    [{ contact: { phone: '0867123456' } }, { kind: 'contact', phone: '0867123456', own: true }],
    [{ form: { code: 'TIVI1', email: 'a@b.vn' } }, { kind: 'form', code: 'TIVI1', email: 'a@b.vn' }],
    [{ start: `_${Buffer.from('mã/1').toString('base64url')}` }, { kind: 'start', payload: 'mã/1' }],
    [{ start: '' }, { kind: 'start' }],
    [{ photo: btoa('a code') }, { kind: 'photo', pictures: [READ] }],
  ])('with %o becomes the message %o', async (fields, message) => {
    const { post, accepted } = await startKit({ photoReader });
    expect((await post({ conversation: 'qa', ...fields })).status).toBe(200);
    expect(accepted[0]?.message).toEqual(message);
  });

  it.each([
    [
      { locale: 'en', name: 'Gá', as: 'telegram' },
      { channel: 'telegram', proof: 'contact', locale: 'en', name: 'Gá' },
    ],
    [
      { as: 'teams', profile: { email: 'Minh@Example.vn' } },
      { channel: 'teams', proof: 'profile', email: 'minh@example.vn' },
    ],
  ])('with %o has the sender %o', async (fields, sender) => {
    const { post, accepted } = await startKit();
    await post({ conversation: 'qa', text: 'hi', id: 'm1', ...fields });
    expect(accepted).toEqual([expect.objectContaining({ channel: 'staff', id: 'm1', sender })]);
  });

  it('may have a picture of 5 MB, which is read before the message is accepted; a larger one is refused', async () => {
    const { post, counted } = await startKit({ photoReader });
    const send = async (bytes: number) =>
      (await post({ conversation: 'qa', photo: Buffer.alloc(bytes).toString('base64') })).status;
    expect([await send(MAX_STAFF_PHOTO), counted]).toEqual([200, ['read']]);
    expect([await send(MAX_STAFF_PHOTO + 3), await send(2 * MAX_STAFF_PHOTO)]).toEqual([400, 413]);
  });

  it('is refused if it has thousands of fields, which would block the process, or is no JSON', async () => {
    const { post } = await startKit();
    const fields = `"conversation":"qa"${',"k":1'.repeat(2000)}`;
    expect((await post(`{${fields}}`)).status).toBe(413);
    expect((await post(`{"form":{${fields}}}`)).status).toBe(413);
    expect((await post('{"conversation":')).status).toBe(400);
    expect((await post('hi', { 'content-type': 'text/csv' })).status).toBe(415);
  });
});

describe('a wrong request is refused with its faults', () => {
  const one = 'Wants exactly one of text, choice, contact, form, start, photo';
  it.each([
    [{ conversation: 'qa', text: 'a', choice: 'b' }, [['body', one]]],
    [{ conversation: 'a b', text: 'a' }, [['conversation', /Wants 1 to 64/]]],
    [{ conversation: 'qa', contact: { phone: '1', mine: true } }, [['contact.mine', 'Unknown field']]],
    [{ conversation: 'qa', choice: '~v1' }, [['choice', /Wants the id/]]],
    ['"text"', [['body', /object/]]],
    [
      { conversation: '', text: 1, choice: 'b', id: '', foo: 1 },
      ['conversation', 'text', 'id', 'foo', 'body'].map((where) => [where, /./]),
    ],
  ])('%o', async (body, faults) => {
    const { post, accepted } = await startKit();
    const response = await post(body);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const listed = faults.map(([where, what]) => ({ where, what: expect.stringMatching(what ?? '') }));
    expect(await response.json()).toMatchObject({ status: 400, faults: listed });
    expect(accepted).toEqual([]);
  });
});

it('reports a reply that could not be published as failed', async () => {
  const feed = createMemoryFeed();
  const publish = async () => Promise.reject(new StoreUnavailable('down'));
  const { channel } = await startKit({ feed: Object.assign(feed, { publish }) });
  const place = { channel: 'staff', conversation: 'qa', address: null };
  const delivery = await channel.deliver(outgoingOf(place, { key: 'help.text' }, {}), 1);
  expect(delivery).toEqual({ kind: 'undelivered' });
});

const replies = (...keys: string[]) => keys.map((key) => ({ key }));

/** Opens the stream of `qa` as it goes over the wire; `text()` gives what came so far. */
async function open(kit: Kit) {
  const ending = new AbortController();
  const response = await fetch(`${kit.url}/webhooks/staff/qa/events`, { signal: ending.signal });
  let text = '';
  const reading = (async () => {
    try {
      for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += part;
    } catch {}
  })();
  return { response, reading, text: () => text, leave: () => ending.abort() };
}

/** The first events of the conversation `qa`. */
async function take(kit: Kit, count: number): Promise<StaffEvent[]> {
  const events: StaffEvent[] = [];
  for await (const event of kit.client.events('qa', 0, new AbortController().signal)) {
    if (events.push(event) === count) break;
  }
  return events;
}

it('the replies of a turn that takes too long come as events, once each and in order', async () => {
  const kit = await startKit({ answer: () => null, answerMs: 20 });
  const answer = await kit.client.send({ conversation: 'qa', text: 'hi', id: 'm1' });
  expect(answer).toEqual({ conversation: 'qa', status: 'queued', replies: [] });
  await kit.deliver('qa', replies('a', 'b'), 'm1');
  const taken = take(kit, 3);
  await kit.deliver('qa', replies('c'));
  expect(await taken).toEqual([
    { seq: 1, key: 'a', text: 'vi:a', turn: 'm1', last: false, state: {} },
    { seq: 2, key: 'b', text: 'vi:b', turn: 'm1', last: true, state: {} },
    { seq: 3, key: 'c', text: 'vi:c', last: true, state: {} },
  ]);
});

it('events come as text/event-stream with the number as id, and comments keep a quiet stream open', async () => {
  const kit = await startKit({ streams: { streams: 1, heartbeatMs: 10, lag: 1e6 } });
  const { response, text, leave } = await open(kit);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  await kit.deliver('qa', replies('a'), 'm1');
  await expect.poll(text).toMatch(/^retry: \d+\n\n[\s\S]*id: 1\ndata: \{"seq":1,"key":"a",.*\}\n\n/);
  await expect.poll(text).toMatch(/\n: still here\n\n: still here\n\n/);
  // Refused where too many are open, until one is left.
  const refused = (await open(kit)).response;
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
  leave();
  await expect.poll(async () => (await open(kit)).response.status).toBe(200);
});

it('the events of a conversation end soon after the session of their reader', async () => {
  let isSignedIn = true;
  const access = { sandbox: true, token: 'a-staff-token', signedIn: () => (isSignedIn ? {} : undefined) };
  const kit = await startKit({ access, streams: { streams: 1, heartbeatMs: 10, lag: 1e6 } });
  const { reading, text } = await open(kit);
  isSignedIn = false;
  await reading;
  expect(text()).toMatch(/^retry: \d+\n\n/);
  expect((await open(kit)).response.status).toBe(401);
});

it('an event stream is cut if its reader lags too far behind, and closed when the bot stops', async () => {
  const kit = await startKit({ streams: { streams: 5, heartbeatMs: 1000, lag: 200 } });
  await kit.deliver('qa', replies('a'.repeat(300)), 'm1');
  await expect(take(kit, 1)).rejects.toThrow();
  const idle = await startKit();
  const { reading } = await open(idle);
  await idle.channel.close?.();
  await reading;
  expect((await open(idle)).response.status).toBe(503);
});

it('the channel gives the feed sealed bytes under a hashed name, and ignores what it cannot open', async () => {
  const memory = createMemoryFeed();
  const published: string[] = [];
  const feed: Feed = {
    follow: (...about) => memory.follow(...about),
    close: () => memory.close(),
    async publish(name, event) {
      published.push(name, event.body.toString('latin1'));
      await memory.publish(name, event);
    },
  };
  const kit = await startKit({ feed });
  await kit.deliver('qa', replies('secret'), 'm1');
  const stranger = await startKit({ feed, hashKey: kit.hashKey });
  await stranger.deliver('qa', replies('numbered as the first', 'b'), 'm2');
  expect((await take(stranger, 1)).map(({ key }) => key)).toEqual(['b']);
  expect(stranger.alarms).toEqual(['seal_broken']);
  // Sealed bytes may spell two letters by chance, so the name is compared as a whole.
  expect(published).not.toContain('qa');
  expect(published.join()).not.toContain('secret');
});
