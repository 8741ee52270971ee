import { realWorld, type World } from '../engine/world.ts';
import type { Quota } from '../store/quota.ts';
import { BoundedMap } from './platforms.ts';

/** Where messages go. A group has a limit of its own. */
export type Chat = { readonly chat: string; readonly isGroup: boolean };

/** A message that wants to leave. `madeAtMs`: when the reply was made, epoch ms. */
export type Wish = Chat & { readonly isReceipt: boolean; readonly madeAtMs: number };

/**
 * The pace of a bot's messages, one over all processes, so that a platform with limits refuses few of them.
 *
 * @example
 * const chat = { chat: '475', isGroup: false };
 * const afterMs = await pace.take({ ...chat, isReceipt: false, madeAtMs: world.nowMs() });
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await send();
 * if (delivery.kind === 'throttled') pace.refused(chat, delivery.afterMs ?? 1000);
 */
export type Pace = {
  /**
   * Waits for its time to leave, a moment at most. Resolves to 0 then, or to how long the message should be put off (ms);
   * nothing is kept of it meanwhile, it asks anew. Receipts come first, then the oldest. Never rejects.
   */
  take(wish: Wish): Promise<number>;
  /** The platform refused a message to this chat for `afterMs`: the chat pauses. */
  refused(chat: Chat, afterMs: number): void;
};

export type PaceOptions = {
  openQuota(perSecond: number): Quota;
  /** What the platform takes: messages a second, and of those to one chat. */
  readonly perSecond: number;
  readonly chatBurst: number;
  /** A message may leave; `seconds` after it was made, or first asked. */
  onGo(seconds: number): void;
  readonly world?: Pick<World, 'nowMs' | 'monotonicMs' | 'sleep' | 'random'> | undefined;
};

/** The share of the platform's limit that is used: some messages are late on their way, and come close to the next. */
const SAFE = 29 / 30;
/** Messages that a process sends before they are counted, as a share of a second's. From half of them on it counts. */
const CREDIT = 1 / 30;
/** Times that a process takes at once, as a share of a second's. */
const BLOCK = 1 / 6;
/** A message that would wait for longer is put off, and so is one too many: a third of a process's slots. */
const MOMENT_MS = 1500;
const MOST_WAITING = 20;
/** A message may leave this long after its time. Later it would come too close to the next, and its time is lost. */
const LATE_MS = 20;
/** A message that is put off comes back after this at least; the store may notice that it is due as much later. */
const AGAIN_MS = 500;
/** A reply of this age has been put off before. */
const OLD_MS = 2000;
/** What Telegram takes in one group. */
const GROUP_PER_MINUTE = 20;
/** No reply waits for longer (`engine/outbox.ts`): what comes behind the one that was refused tries for itself. */
const MOST_CHAT_MS = 24 * 60 * 60_000;
/** A message that has to wait for its chat for longer is put off at once. */
const LONG_MS = 1000;

type Waiting = Wish & { go(afterMs: number | Promise<number>): void };

export function createPace(options: PaceOptions): Pace {
  const { chatBurst, onGo, world = realWorld } = options;
  const perSecond = Math.max(1, Math.floor(options.perSecond * SAFE));
  const quota = options.openQuota(perSecond);
  const credit = Math.ceil(perSecond * CREDIT);
  const block = Math.ceil(perSecond * BLOCK);
  const chats = createWindow(chatBurst, 1000, world);
  const groups = createWindow(GROUP_PER_MINUTE, 60_000, world);
  /** Left, and not counted yet. */
  let owed = 0;
  /** From when on there is room for one more, and for another one each step later, as far as was heard. */
  let roomFromMs = Number.NEGATIVE_INFINITY;
  let stepMs = 0;
  /** Who waits, the most urgent first. */
  const waiting: Waiting[] = [];
  let isCounting = false;
  let isServing = false;

  /** Where there is plenty nobody waits for a count. Each process may be off by what it owes, so that is kept small. */
  function leaves(): boolean {
    if (waiting.length > 0 || owed >= credit) return false;
    if (world.monotonicMs() - roomFromMs < 2 * credit * stepMs) return false;
    owed += 1;
    if (2 * owed >= credit && !isCounting) void count();
    return true;
  }

  async function count(): Promise<void> {
    isCounting = true;
    await take(0);
    isCounting = false;
  }

  async function take(wanted: number) {
    const sent = owed;
    owed = 0;
    const taken = await quota.take({ sent, wanted, withinMs: MOMENT_MS });
    stepMs = taken.stepMs;
    roomFromMs = world.monotonicMs() + taken.aheadMs + taken.granted * stepMs;
    return taken;
  }

  function join(wish: Wish): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const behind = waiting.findIndex((other) => isBefore(wish, other));
    waiting.splice(behind < 0 ? waiting.length : behind, 0, { ...wish, go: resolve });
    putOffAfter(MOST_WAITING, 0);
    if (!isServing) void serve();
    return promise;
  }

  /**
   * Takes times for those who wait, not many at once: what a busy process has taken nobody else can use. Where there are
   * none soon, who has none is put off.
   */
  async function serve(): Promise<void> {
    isServing = true;
    while (waiting.length > 0) {
      const wanted = Math.min(waiting.length, block);
      const { granted, aheadMs, stepMs } = await take(wanted);
      if (granted < wanted) putOffAfter(granted, aheadMs);
      const takenMs = world.monotonicMs();
      for (let n = 1; n <= granted; n++) {
        const dueMs = takenMs + Math.max(0, aheadMs + n * stepMs);
        const waitMs = () => dueMs - world.monotonicMs();
        for (let ms = waitMs(); ms > 0; ms = waitMs()) await world.sleep(ms);
        if (waitMs() >= -LATE_MS) waiting.shift()?.go(0);
      }
    }
    isServing = false;
  }

  function putOffAfter(most: number, aheadMs: number): void {
    for (const wish of waiting.splice(most)) wish.go(putOff(wish, aheadMs));
  }

  /** Receipts come back soon, and whoever stood in the line before; all others stand in one line over all processes. */
  async function putOff({ isReceipt, madeAtMs }: Wish, aheadMs: number): Promise<number> {
    const isOld = world.nowMs() - madeAtMs > OLD_MS;
    const soonMs = Math.max(0, aheadMs - MOMENT_MS) + AGAIN_MS * (1 + world.random());
    const lineMs = isReceipt || isOld ? 0 : await quota.line();
    return Math.round(Math.max(soonMs, lineMs));
  }

  /** Until the chat takes one more, ms; 0: it has taken this one. */
  function chatWait({ chat, isGroup }: Chat): number {
    const waitMs = Math.max(chats.wait(chat), isGroup ? groups.wait(chat) : 0);
    if (waitMs > 0) return waitMs;
    chats.add(chat);
    if (isGroup) groups.add(chat);
    return 0;
  }

  return {
    async take(wish) {
      const askedMs = world.monotonicMs();
      const ageMs = Math.max(0, world.nowMs() - wish.madeAtMs);
      for (let waitMs = chatWait(wish); waitMs > 0; waitMs = chatWait(wish)) {
        if (waitMs > LONG_MS) return waitMs;
        await world.sleep(waitMs);
      }
      const afterMs = leaves() ? 0 : await join(wish);
      if (afterMs > 0) return afterMs;
      onGo((world.monotonicMs() - askedMs + (ageMs > OLD_MS ? ageMs : 0)) / 1000);
      return 0;
    },
    refused({ chat }, afterMs) {
      if (afterMs < MOST_CHAT_MS) chats.block(chat, world.monotonicMs() + afterMs);
    },
  };
}

function isBefore(one: Wish, other: Wish): boolean {
  if (one.isReceipt !== other.isReceipt) return one.isReceipt;
  return one.madeAtMs < other.madeAtMs;
}

/** Chats remembered; who was not heard of for the longest is forgotten first. */
const MOST_CHATS = 20_000;

/** At most so many messages to a chat within any `ms`, in this process. */
function createWindow(most: number, ms: number, world: Pick<World, 'monotonicMs'>) {
  /** When the last messages may be forgotten; of a blocked chat, as often as there may be messages, when that ends. */
  const until = new BoundedMap<string, readonly number[]>(MOST_CHATS);

  return {
    wait(chat: string): number {
      const ends = until.get(chat) ?? [];
      const [first = 0] = ends;
      return ends.length < most ? 0 : Math.ceil(Math.max(0, first - world.monotonicMs()));
    },
    add(chat: string): void {
      const nowMs = world.monotonicMs();
      const ends = until.get(chat)?.filter((endMs) => endMs > nowMs) ?? [];
      until.set(chat, [...ends, nowMs + ms].slice(-most));
    },
    block: (chat: string, untilMs: number) => void until.set(chat, Array(most).fill(untilMs)),
  };
}
