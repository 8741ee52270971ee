import { expect, it } from 'vitest';
import type { StaffEvent } from '../../../src/channels/staff/schemas.ts';
import { createMemoryFeed } from '../../../src/store/memory.ts';
import type { Feed } from '../../../src/store/port.ts';
import { type Kit, startKit } from './kit.ts';

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

it('the event stream sends kept and new replies once each, in order, with their numbers', async () => {
  const kit = await startKit();
  await kit.deliver('qa', replies('a', 'b'), 'm1');
  const taken = take(kit, 3);
  await kit.deliver('qa', replies('c'));
  expect(await taken).toEqual([
    { seq: 1, key: 'a', text: 'vi:a', turn: 'm1', last: false, state: {} },
    { seq: 2, key: 'b', text: 'vi:b', turn: 'm1', last: true, state: {} },
    { seq: 3, key: 'c', text: 'vi:c', last: true, state: {} },
  ]);
});

it('it is text/event-stream, with the number as event id, and a comment when nothing else comes', async () => {
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

it('it is cut where the reader lags too far behind, and closed for good when the bot stops', async () => {
  const kit = await startKit({ streams: { streams: 5, heartbeatMs: 1000, lag: 200 } });
  await kit.deliver('qa', replies('a'.repeat(300)), 'm1');
  await expect(take(kit, 1)).rejects.toThrow();
  const idle = await startKit();
  const { reading } = await open(idle);
  await idle.channel.close?.();
  await reading;
  expect((await open(idle)).response.status).toBe(503);
});

it('hands the feed sealed bytes under a hashed name, and passes over what it cannot open', async () => {
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
  expect(published.join()).not.toMatch(/\bqa\b|secret/);
});
