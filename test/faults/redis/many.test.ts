import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Work } from '../../../src/store/mailbox.ts';
import type { ConversationStore } from '../../../src/store/store.ts';
import { bodies, message, someName } from '../../contract/store/kit.ts';
import { openProcess, ownProxy, ownRedis } from '../../store/redis/kit.ts';

const CONVERSATIONS = 20;
const MESSAGES = 12;
const CRASHES = 0.05;

/** A process that answers messages by adding them to the state, and sometimes drops dead in the middle. */
async function answer(store: ConversationStore, work: Work, delivered: Map<string, string[]>): Promise<void> {
  let { version } = work;
  let state = work.state?.toString() ?? '';
  let unsent = work.outbox;
  let next: Pick<Work, 'head'> | null = work;
  while (next !== null) {
    for (const { seq, body } of unsent) delivered.get(work.conversation)?.push(`${seq} ${body}`);
    let sentSeq = unsent.at(-1)?.seq ?? 0;
    if (next.head !== null) {
      if (Math.random() < CRASHES) return;
      const text = next.head.body.toString();
      state = `${state},${text}`;
      const committed = await store.commit(work, {
        version,
        state: Buffer.from(state),
        outbox: bodies(text),
        consumed: next.head.seq,
        wakeAtMs: null,
        settled: [],
      });
      if (!committed || Math.random() < CRASHES) return;
      version += 1;
      sentSeq = committed.firstSeq;
      delivered.get(work.conversation)?.push(`${sentSeq} ${text}`);
      if (Math.random() < CRASHES) return;
    }
    unsent = [];
    next = await store.release(work, sentSeq);
  }
}

test('many processes, lost answers and crashes: each message is answered once, in order, and told', async () => {
  const { port, url } = await ownRedis();
  const proxy = await ownProxy(port);
  const options = { leaseMs: 400 };
  const processes = [
    await openProcess(url, options),
    await openProcess(proxy.url, options),
    await openProcess(proxy.url, options),
  ];
  const names = Array.from({ length: CONVERSATIONS }, someName);
  const delivered = new Map(names.map((name) => [name, []]));
  let over = false;
  const anyone = (): ConversationStore => {
    const found = processes[Math.floor(Math.random() * processes.length)];
    if (found === undefined) throw new Error('no process');
    return found.store;
  };

  const work = (store: ConversationStore, found: Work): void => {
    answer(store, found, delivered).catch(() => {});
  };
  const sweepers = processes.map(async ({ store }) => {
    while (!over) {
      for (const found of await store.claim(5).catch(() => [])) work(store, found);
      await delay(20);
    }
  });
  const cutter = (async () => {
    while (!over) {
      proxy.loseNextAnswer();
      await delay(30);
    }
  })();

  /** As a platform does: the same id again until it is taken. */
  async function send(conversation: string, text: string): Promise<void> {
    const first = message(conversation, text);
    for (;;) {
      const store = anyone();
      try {
        const accepted = await store.accept({ ...first, nonce: randomUUID(), take: Math.random() < 0.7 });
        if (accepted.kind === 'leased') work(store, accepted.work);
        return;
      } catch {
        await delay(10);
      }
    }
  }
  await Promise.all(
    names.map(async (name) => {
      for (let n = 0; n < MESSAGES; n++) await send(name, `${n}`);
    }),
  );

  const texts = Array.from({ length: MESSAGES }, (_, n) => `${n}`);
  await vi.waitFor(
    () => {
      for (const name of names) expect(new Set(delivered.get(name)).size).toBe(MESSAGES);
    },
    { timeout: 90_000, interval: 100 },
  );
  over = true;
  await Promise.all([...sweepers, cutter]);
  for (const name of names) {
    const first = [...new Set(delivered.get(name))];
    expect(first).toEqual(texts.map((text, index) => `${index + 1} ${text}`));
  }
});
