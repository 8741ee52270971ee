import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import type { Change, Lease, NewMessage, Work } from '../../../src/store/mailbox.ts';
import type { ConversationStore, StoreOptions } from '../../../src/store/store.ts';

/** A fresh, empty store; `another` is the same one as a second process sees it. */
export type OpenStore = (options: StoreOptions) => Promise<{
  store: ConversationStore;
  another(options?: StoreOptions): Promise<ConversationStore>;
  close(): Promise<void>;
}>;

/** A lease that is waited for. Every other outlasts a test, so that none runs out on a busy machine. */
const BRIEF_MS = 50;
const LEASE_MS = 600_000;

/** Opens stores and closes them after each test; the leases of `brief`, one more process, run out soon. */
export function opener(open: OpenStore) {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  return async (options: StoreOptions = {}) => {
    const opened = await open({ leaseMs: LEASE_MS, ...options });
    closers.push(opened.close);
    return { ...opened, brief: await opened.another({ ...options, leaseMs: BRIEF_MS }) };
  };
}

/** A name as the engine makes them: a keyed hash, base64url. */
export const someName = (): string => randomBytes(16).toString('base64url');

export function message(conversation: string, text: string, over: Partial<NewMessage> = {}): NewMessage {
  return {
    conversation,
    id: randomUUID(),
    body: Buffer.from(text),
    nonce: randomUUID(),
    take: true,
    ...over,
  };
}

/** Files a message and expects to get the conversation's lease for it. */
export async function leased(store: ConversationStore, conversation: string, text = 'hello'): Promise<Work> {
  const accepted = await store.accept(message(conversation, text));
  if (accepted.kind !== 'leased') throw new Error(`expected a lease, got ${accepted.kind}`);
  return accepted.work;
}

/** Files a message that nobody takes up for now. */
export async function queue(store: ConversationStore, conversation: string, text: string): Promise<void> {
  expect(await store.accept(message(conversation, text, { take: false }))).toEqual({ kind: 'queued' });
}

/** The commit that answers the head of `work` and says nothing. */
export function change(work: Work, over: Partial<Change> = {}): Change {
  return {
    version: work.version,
    state: Buffer.from('state'),
    outbox: [],
    consumed: work.head?.seq ?? null,
    wakeAtMs: null,
    settled: [],
    ...over,
  };
}

/** Takes a lease, commits, and gives the lease back: a whole turn. */
export async function turn(
  store: ConversationStore,
  conversation: string,
  over: Partial<Change> = {},
): Promise<void> {
  const work = await leased(store, conversation);
  const committed = await store.commit(work, change(work, over));
  if (!committed) throw new Error('expected the commit to succeed');
  expect(
    await store.release(work, committed.firstSeq + (over.outbox?.length ?? 0), { afterMs: 0 }),
  ).toBeNull();
}

/** As many claims as a sweeper makes in over 2 s: whatever is due comes to light. */
export async function sweep(store: ConversationStore): Promise<Work[]> {
  const found: Work[] = [];
  for (let round = 0; round < 6; round++) found.push(...(await store.claim(100)));
  return found;
}

/** Sweeps until the conversation is claimed. */
export async function claimed(store: ConversationStore, conversation: string): Promise<Work> {
  const late = AbortSignal.timeout(20_000);
  while (!late.aborted) {
    for (const work of await store.claim(100)) if (work.conversation === conversation) return work;
    await delay(10);
  }
  throw new Error('the conversation was not claimed within 20 s');
}

/** Resolves once nobody has a lease of the conversation any more. */
export async function lapsed(store: ConversationStore, conversation: string): Promise<void> {
  const left = async (): Promise<number> => {
    const { leasedUntilMs = 0, nowMs = 0 } = (await store.peek(conversation)) ?? {};
    return (leasedUntilMs ?? 0) - nowMs;
  };
  await expect.poll(left).toBeLessThanOrEqual(0);
}

export const lease = ({ conversation, fence, nonce }: Lease): Lease => ({ conversation, fence, nonce });

/** What a lease holder sees, as text. */
export function seen(work: Pick<Work, 'head' | 'outbox' | 'state'>) {
  return {
    head: work.head === null ? null : work.head.body.toString(),
    outbox: work.outbox.map((entry) => entry.body.toString()),
    state: work.state === null ? null : work.state.toString(),
  };
}

export const bodies = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
