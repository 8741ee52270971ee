import { listAll, type Operators } from '../engine/operators.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Runtime, Timer } from '../runtime.ts';
import { type RecordStore, SHARDS } from '../store/port.ts';

/** A channel refuses messages for now, because more than `MAX_BACKLOG` wait for their turn. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
  /** The status of the webhook's answer. */
  readonly statusCode = 503;
}

/** The messages of one channel that wait for their turn: how many, and for how long on average. */
export type ChannelBacklog = { readonly messages: number; readonly waitMs: number };

type OverloadParts = {
  readonly store: Pick<RecordStore, 'list'>;
  readonly operators: Pick<Operators, 'waitingIn'>;
  readonly runtime: Pick<Runtime, 'timer' | 'monotonicMs' | 'random'>;
  readonly observe: Pick<Observe, 'alarm' | 'turnWait' | 'update'>;
  /** Whether this process has no free slot for another turn. */
  isSaturated(): boolean;
  /** The names of all channels. */
  readonly channels: readonly string[];
  /** `MAX_BACKLOG`. */
  readonly maxBacklog: number;
};

/** How often the backlog is read while there is one, or while this process has no free slot. */
const LOOK_EVERY_MS = 2000;
/** Otherwise it is read this many times less often: other processes may have died with their turns. */
const IDLE_LOOKS = 8;
/** Turns are late if messages wait longer than this on average. */
const LATE_MS = 60_000;
const ALARM_EVERY_MS = 60_000;
/**
 * How many due conversations of each shard are listed, and how many of all are opened. The rest is estimated.
 */
const LISTED = 400;
const OPENED = 400;

/**
 * Knows how many messages of each channel wait for their turn. They wait in the store, so every process finds
 * them. Messages behind a reply that a platform does not take do not count.
 *
 * @example
 * const overload = new Overload(parts);
 * const accept = overload.around(engine.accept);
 * overload.start();
 */
export class Overload {
  readonly #parts: OverloadParts;
  /** Raises the alarm of each channel, at most once a minute. */
  readonly #alarms = new Map<string, (backlog: ChannelBacklog) => void>();
  #backlogs: ReadonlyMap<string, ChannelBacklog> = new Map();
  /** Channels that refuse messages for now. */
  #closed: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;
  #looks = 0;

  constructor(parts: OverloadParts) {
    this.#parts = parts;
    const { channels, observe, runtime } = parts;
    for (const channel of channels) {
      const alarm = ({ messages, waitMs }: ChannelBacklog): void =>
        observe.alarm('turns_late', { channel, messages, seconds: Math.round(waitMs / 1000) });
      this.#alarms.set(channel, atMostEvery(ALARM_EVERY_MS, alarm, runtime.monotonicMs));
    }
  }

  start(): void {
    for (const channel of this.#parts.channels) this.#parts.observe.turnWait(0, channel);
    this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = this.#parts.runtime.timer(LOOK_EVERY_MS, async () => {
      this.#looks += 1;
      const isBusy = this.#backlogs.size > 0 || this.#parts.isSaturated();
      // While the store does not answer, the last look counts.
      if (isBusy || this.#looks % IDLE_LOOKS === 0) await this.refresh().catch(() => {});
      if (this.#timer !== undefined) this.#lookLater();
    });
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** `accept` that rejects with `Overloaded` while too many messages of the message's channel wait. */
  around<Message extends { readonly channel: string }, Rest extends readonly unknown[], Result>(
    accept: (message: Message, ...rest: Rest) => Promise<Result>,
  ): typeof accept {
    return (message, ...rest) =>
      this.#closed.has(message.channel) ? this.#refuse(message.channel) : accept(message, ...rest);
  }

  async #refuse(channel: string): Promise<never> {
    this.#parts.observe.update(channel, 'overloaded');
    throw new Overloaded(`too many messages of ${channel} wait for their turn`);
  }

  /** A line for operators for each channel whose messages wait too long. */
  faults(): readonly string[] {
    return [...this.#backlogs].flatMap(([channel, { messages, waitMs }]) => {
      if (!this.#isLate(channel)) return [];
      const seconds = Math.round(waitMs / 1000);
      const waits = `${channel}: ${messages} messages wait for their turn, ${seconds} s on average`;
      const isOver = this.#closed.has(channel)
        ? `; above MAX_BACKLOG (${this.#parts.maxBacklog}) it gets 503`
        : '';
      return [`${waits}${isOver}. What to do: docs/operators.md, turns_late`];
    });
  }

  /** Reads the backlog, and alarms about each channel that is late. Rejects with `StoreUnavailable`. */
  async refresh(): Promise<void> {
    const { observe, channels, maxBacklog } = this.#parts;
    const backlogs = await this.#read();
    this.#backlogs = backlogs;
    const full = [...backlogs].filter(([, { messages }]) => messages > maxBacklog);
    this.#closed = new Set(full.map(([channel]) => channel));
    for (const channel of channels) observe.turnWait((backlogs.get(channel)?.waitMs ?? 0) / 1000, channel);
    for (const [channel, backlog] of backlogs)
      if (this.#isLate(channel)) this.#alarms.get(channel)?.(backlog);
  }

  #isLate(channel: string): boolean {
    return (this.#backlogs.get(channel)?.waitMs ?? 0) > LATE_MS || this.#closed.has(channel);
  }

  /** Opens some of the due conversations, all if they are few, and concludes from them to all. */
  async #read(): Promise<ReadonlyMap<string, ChannelBacklog>> {
    const { store, operators, runtime } = this.#parts;
    const listed = await listAll(store, 'due', { upTo: 'now', limit: LISTED });
    const due = listed.flatMap(({ entries }) => entries.map(({ member }) => member));
    const total = listed.reduce((sum, { count }) => sum + count, 0) * (SHARDS / listed.length);
    const chosen = due.length <= OPENED ? due : chooseSome(due, OPENED, runtime.random);
    const opened = await Promise.all(chosen.map((name) => operators.waitingIn(name)));
    const sums = new Map<string, { messages: number; waitMs: number }>();
    for (const waiting of opened) {
      if (waiting === null) continue;
      const sum = sums.get(waiting.channel) ?? { messages: 0, waitMs: 0 };
      sum.messages += waiting.agesMs.length;
      for (const ageMs of waiting.agesMs) sum.waitMs += ageMs;
      sums.set(waiting.channel, sum);
    }
    const scale = total / Math.max(1, chosen.length);
    return new Map(
      [...sums].map(([channel, { messages, waitMs }]) => [
        channel,
        { messages: Math.round(messages * scale), waitMs: waitMs / messages },
      ]),
    );
  }
}

/** `count` of the items, each as likely as any other. */
function chooseSome<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  const chosen = items.slice(0, count);
  for (let at = count; at < items.length; at++) {
    const place = Math.floor(random() * (at + 1));
    const item = items[at];
    if (place < count && item !== undefined) chosen[place] = item;
  }
  return chosen;
}
