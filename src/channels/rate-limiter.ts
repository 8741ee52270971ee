import { LRUCache } from 'lru-cache';
import type { Delivery } from '../engine/messages.ts';
import type { Observe } from '../observability/metrics.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';

/** A message to be sent. `madeAtMs`: when the reply was made, epoch ms. */
export type SendRequest = {
  readonly chat: string;
  readonly isGroup: boolean;
  readonly isReceipt: boolean;
  /**
   * It ends the wait of a pressed button, and is no message of the chat: toasts are counted by themselves.
   */
  readonly isToast?: boolean;
  readonly madeAtMs: number;
};

export type RateLimiterOptions = {
  /** The limits of this process: messages a second, and to one chat in a second. */
  readonly perSecond: number;
  readonly chatBurst: number;
  readonly channel: string;
  readonly observe: Pick<Observe, 'paced'>;
  readonly runtime?: Pick<Runtime, 'nowMs' | 'monotonicMs'> | undefined;
};

/** The share of the limit that replies get while many wait. The rest is for receipts. */
const REPLY_SHARE = 0.8;
/** A slot that was missed by at most this much is still used. */
const BURST_MS = 200;
/** Telegram's limits, on average: a message a second to a chat, 20 a minute to a group (bots/faq). */
const CHAT_EVERY_MS = 1000;
const GROUP_PER_MINUTE = 20;
/** The bursts that a chat may get before the average counts: a quick customer is answered at once. */
const BURSTS = 3;
const MINUTE_MS = 60_000;
const MAX_CHATS = 20_000;
/** A reply that would have to wait longer is given up. */
const MAX_PAUSE_MS = 24 * 60 * MINUTE_MS;
/** The pause after a refusal that names no time. */
const REFUSED_MS = 1000;
/**
 * If the platform refuses this many quiet chats within a second, and no message passes, it limits the whole
 * bot and not single chats.
 */
const botRefusals = (perSecond: number): number => Math.max(3, perSecond / 5);
const SECOND_MS = 1000;
/** Older refusals do not count. */
const FORGET_MS = 10 * SECOND_MS;
/**
 * A chat is quiet if it got at most this many messages in the last minute. It did not provoke its refusal.
 */
const QUIET = 1;

/** When the first probe of a pause leaves, and how long others wait for the probe's outcome. */
const PROBE_MS = 5000;
const PROBE_LASTS_MS = 15_000;
const LOOK_AGAIN_MS = 500;
/** The probe is a receipt if one comes within the first time, else a reply to a quiet chat if one comes. */
const RECEIPT_LEAD_MS = 250;
const QUIET_LEAD_MS = 1000;

/** At most `burst` at once, then one each `everyMs`. */
type Allowance = { readonly burst: number; readonly everyMs: number };

/** What one chat got. All times are monotonic. */
type Chat = {
  /** When a chat that gets nothing more may get a whole burst of each kind again, by each of its limits. */
  readonly restedMs: Readonly<Record<'message' | 'toast', number[]>>;
  /** Nothing is sent to it until then. */
  pausedMs: number;
  /** When it got the last messages, oldest first: two more than a quiet chat may get. */
  readonly sentMs: number[];
};

/**
 * Nothing is sent to anybody until `endsMs`, but for a probe at `probeMs`. `probe`: the chat whose message is
 * under way, until `probeEndsMs` at the latest.
 */
type Pause = {
  endsMs: number;
  probeMs: number;
  distanceMs: number;
  probe: string | undefined;
  probeEndsMs: number;
};

type ProbeRequest = { readonly name: string; readonly isReceipt: boolean; readonly nowMs: number };

/**
 * Limits the messages of this process, and those to one chat. Each takes a time slot. A reply waits for its
 * slot, so that none overtakes it; a receipt does not wait. A refusal pauses its chat. Refusals of several
 * quiet chats pause all, until a probe passes: anybody can have their own chat refused.
 *
 * @example
 * const waitMs = limiter.take(request);
 * if (waitMs === 0) limiter.note(request.chat, await send());
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #runtime: Pick<Runtime, 'nowMs' | 'monotonicMs'>;
  /** What a private chat and a group may get; all parts count: of bursts, and on average. */
  readonly #privates: readonly Allowance[];
  readonly #groups: readonly Allowance[];
  readonly #chats = new LRUCache<string, Chat>({ max: MAX_CHATS });
  /** When the reply of a chat may be sent. A chat waits with one at a time. */
  readonly #slots = new LRUCache<string, number>({ max: MAX_CHATS });
  /** The next free slot. */
  #freeMs = Number.NEGATIVE_INFINITY;
  #pause: Pause | undefined;
  /** The quiet chats that were refused since a message passed, and when; the first refusal is first. */
  readonly #refused = new Map<string, number>();

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? systemRuntime;
    const { chatBurst: burst } = options;
    const groupBurst = Math.min(burst, GROUP_PER_MINUTE / 2);
    this.#privates = [
      { burst, everyMs: SECOND_MS / burst },
      { burst: BURSTS * burst, everyMs: CHAT_EVERY_MS },
    ];
    this.#groups = [{ burst: groupBurst, everyMs: MINUTE_MS / (GROUP_PER_MINUTE - groupBurst) }];
  }

  /** How long to wait before asking again, ms; 0: send it now, and `note` the outcome. */
  take({ chat: name, isGroup, isReceipt, isToast = false, madeAtMs }: SendRequest): number {
    const { perSecond, channel, observe } = this.#options;
    const nowMs = this.#runtime.monotonicMs();
    const chat = this.#chatOf(name);
    const kind = isToast ? 'toast' : 'message';
    const allowances = isGroup ? this.#groups : this.#privates;
    let blockedMs = chat.pausedMs;
    for (const [at, { burst, everyMs }] of allowances.entries())
      blockedMs = Math.max(blockedMs, (chat.restedMs[kind][at] ?? 0) - (burst - 1) * everyMs);
    if (blockedMs > nowMs) return Math.ceil(blockedMs - nowMs);
    const pausedMs = this.#pause ? this.#waitForPause(this.#pause, { name, isReceipt, nowMs }) : 0;
    if (pausedMs > 0) return Math.ceil(pausedMs);
    const booked = this.#slots.get(name);
    const slotMs = booked ?? Math.max(nowMs - BURST_MS, this.#freeMs);
    if (booked === undefined) this.#freeMs = slotMs + 1000 / (REPLY_SHARE * perSecond);
    if (slotMs > nowMs && !isReceipt && this.#pause?.probe !== name) {
      this.#slots.set(name, slotMs);
      return Math.ceil(slotMs - nowMs);
    }
    this.#slots.delete(name);
    for (const [at, { everyMs }] of allowances.entries())
      chat.restedMs[kind][at] = Math.max(nowMs, chat.restedMs[kind][at] ?? 0) + everyMs;
    chat.sentMs.push(nowMs);
    if (chat.sentMs.length > QUIET + 2) chat.sentMs.shift();
    observe.paced(booked === undefined ? 0 : (this.#runtime.nowMs() - madeAtMs) / 1000, channel);
    return 0;
  }

  /** How sending to a chat ended. A refusal pauses the chat for as long as it says, or all chats. */
  note(name: string, delivery: Delivery): void {
    const nowMs = this.#runtime.monotonicMs();
    const isProbe = this.#pause?.probe === name;
    switch (delivery.kind) {
      case 'throttled':
        this.#refuse(name, delivery.afterMs ?? REFUSED_MS, nowMs);
        break;
      case 'undelivered':
      case 'uncertain':
      case 'unauthorized':
        if (isProbe) this.#postponeProbe(nowMs);
        break;
      // The platform did not count it as too much.
      case 'delivered':
      case 'unreachable':
      case 'rejected':
        this.#refused.clear();
        if (isProbe) this.#pause = undefined;
    }
  }

  #chatOf(name: string): Chat {
    const known = this.#chats.get(name);
    if (known) return known;
    const chat = { restedMs: { message: [], toast: [] }, pausedMs: 0, sentMs: [] };
    this.#chats.set(name, chat);
    return chat;
  }

  /** How long the pause of all chats delays a message, ms. 0: it may leave, perhaps as the probe. */
  #waitForPause(pause: Pause, { name, isReceipt, nowMs }: ProbeRequest): number {
    if (nowMs >= pause.endsMs) {
      this.#pause = undefined;
      return 0;
    }
    if (pause.probe !== undefined && nowMs < pause.probeEndsMs) return LOOK_AGAIN_MS;
    const leadMs = this.#isQuiet(name, nowMs) ? RECEIPT_LEAD_MS : QUIET_LEAD_MS;
    const dueMs = Math.min(pause.endsMs, pause.probeMs + (isReceipt ? 0 : leadMs));
    if (nowMs < dueMs) return dueMs - nowMs;
    pause.probe = name;
    pause.probeEndsMs = nowMs + PROBE_LASTS_MS;
    return 0;
  }

  #refuse(name: string, afterMs: number, nowMs: number): void {
    if (this.#pause?.probe === name) this.#postponeProbe(nowMs);
    // The reply is given up; others may still come.
    if (afterMs >= MAX_PAUSE_MS) return;
    this.#chatOf(name).pausedMs = nowMs + afterMs;
    // One more than usual, because the last message is the refused one itself.
    if (!this.#isQuiet(name, nowMs, QUIET + 1)) return;
    if (this.#pause) {
      this.#pause.endsMs = Math.max(this.#pause.endsMs, nowMs + afterMs);
      return;
    }
    this.#noteRefusal(name, nowMs);
    if (this.#isBotLimited(nowMs)) this.#pauseAll(nowMs, afterMs);
  }

  /** Notes that a quiet chat was refused, and forgets old refusals. */
  #noteRefusal(name: string, nowMs: number): void {
    for (const [chat, atMs] of this.#refused) if (atMs < nowMs - FORGET_MS) this.#refused.delete(chat);
    this.#refused.set(name, nowMs);
  }

  /** Whether the platform limits the whole bot, and not single chats. */
  #isBotLimited(nowMs: number): boolean {
    const [sinceMs = nowMs] = this.#refused.values();
    const recent = [...this.#refused.values()].filter((atMs) => atMs > nowMs - SECOND_MS);
    return nowMs >= sinceMs + SECOND_MS && recent.length >= botRefusals(this.#options.perSecond);
  }

  #pauseAll(nowMs: number, afterMs: number): void {
    const probeMs = nowMs + PROBE_MS;
    const distanceMs = PROBE_MS;
    this.#pause = { endsMs: nowMs + afterMs, probeMs, distanceMs, probe: undefined, probeEndsMs: 0 };
    // All waiting messages get new slots after the pause.
    this.#slots.clear();
    this.#freeMs = nowMs;
  }

  /** The probe was refused as well: the next one leaves after twice the time. */
  #postponeProbe(nowMs: number): void {
    if (!this.#pause) return;
    this.#pause.distanceMs *= 2;
    this.#pause.probeMs = nowMs + this.#pause.distanceMs;
    this.#pause.probe = undefined;
  }

  /** Whether the chat got at most `maxSent` messages in the last minute. */
  #isQuiet(name: string, nowMs: number, maxSent = QUIET): boolean {
    const { sentMs } = this.#chatOf(name);
    return sentMs.filter((atMs) => atMs > nowMs - MINUTE_MS).length <= maxSent;
  }
}
