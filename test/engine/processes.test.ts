import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCell } from '../../src/engine/cell.ts';
import { createClaims } from '../../src/engine/due.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import { createMailbox } from '../../src/engine/mailbox.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { realWorld as world } from '../../src/engine/world.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { openRecords, ownRedis } from '../store/redis/kit.ts';

/*
 * Processes that share a Redis must not get in each other's way.
 */

const encryption = createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });
const someName = (): string => randomBytes(16).toString('base64url');

/** What a process does for its conversations, on connections of its own; `results`: of its claims. */
async function startProcess(url: string, results: string[] = []) {
  const { store } = await openRecords(url);
  const onBroken = (name: string): never => {
    throw new Error(`${name} is broken`);
  };
  const conversations = createCell(CONVERSATION, { store, sealer: encryption, world, onBroken });
  const onError = (error: unknown): never => {
    throw error;
  };
  const mailbox = createMailbox({ conversations, world, limits: LIMITS, onError });
  const observe = { claim: (result: string) => void results.push(result), alarm: () => {} };
  return { mailbox, claims: createClaims({ store, mailbox, world, observe }), conversations };
}

const message = (body: string, take: boolean) => ({
  ...{ id: randomUUID(), nonce: randomUUID(), body, bytes: body.length, take },
});

const WAITING = 300;
/** Free slots of each process, as many as a busy one has. */
const ROOM = 8;

for (const processes of [10, 30]) {
  test(`${processes} processes that claim together try at most twice a win`, async () => {
    const { url } = await ownRedis();
    const results: string[] = [];
    const all = await Promise.all(Array.from({ length: processes }, () => startProcess(url, results)));
    const names = Array.from({ length: WAITING }, someName);
    await Promise.all(
      names.map((name, at) => all[at % processes]?.mailbox.accept(name, message('hello', false))),
    );
    const won: string[] = [];
    while (won.length < WAITING) {
      const claimed = await Promise.all(all.map(({ claims }) => claims.claim(ROOM)));
      won.push(...claimed.flat().map((one) => one.lease.conversation));
    }
    expect(won.sort()).toEqual(names.sort());
    expect(results.filter((result) => result === 'won')).toHaveLength(WAITING);
    expect(results.length / WAITING).toBeLessThan(2);
  });
}

test('20 messages at once of one conversation, through two processes, are all filed, each once', async () => {
  const { url } = await ownRedis();
  const processes = [await startProcess(url), await startProcess(url)];
  const name = someName();
  const texts = Array.from({ length: 20 }, (_, at) => `${at}`);
  const accepted = await Promise.all(
    texts.map((text, at) => processes[at % 2]?.mailbox.accept(name, message(text, false))),
  );
  expect(accepted.every((one) => one?.accepted.kind === 'queued')).toBe(true);
  const { record } = (await processes[0]?.conversations.look(name)) ?? {};
  const filed = record?.inbox ?? [];
  expect(filed.map(({ seq }) => seq)).toEqual(texts.map((_, at) => at + 1));
  expect(filed.map(({ body }) => body).sort()).toEqual(texts.sort());
  // What one process was given keeps its order.
  for (const own of [0, 1]) {
    const order = filed.map(({ body }) => Number(body)).filter((text) => text % 2 === own);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
});
