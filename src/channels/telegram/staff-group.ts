import { z } from 'zod';
import type { Locale } from '../../conversation/message.ts';
import { waitingSinceMs } from '../../conversation/outline.ts';
import { REASONS } from '../../conversation/state.ts';
import type { SeenTicket, Tickets } from '../../operators/tickets.ts';
import { StoreUnavailable } from '../../store/port.ts';
import type { ChannelParts } from '../channel.ts';
import type { CallFailure } from '../platforms.ts';
import { pause } from '../watch.ts';
import { ApiError, failureIn, type TelegramApi } from './api.ts';

/* STAFF_TELEGRAM_CHAT: a group of staff gets one message a ticket, edited when it is taken or closed. */

export type StaffGroupSettings = {
  /** The group's id. */
  readonly chat: number;
  /** The inbox's address from outside. Undefined: the message has only the reference. */
  readonly inboxUrl: string | undefined;
  readonly locale: Locale;
  readonly timeZone: string;
  /** The pause between two rounds, ms. */
  readonly everyMs?: number | undefined;
};

type StaffGroupParts = StaffGroupSettings &
  Pick<ChannelParts, 'words' | 'secrets' | 'observe'> & {
    readonly tickets: Pick<Tickets, 'list' | 'find'>;
    readonly api: Pick<TelegramApi, 'call'>;
  };

/** A round sends one message, because Telegram takes twenty a minute for a group. */
const EVERY_MS = 3_000;
/** The pause after the group refused a message. */
const REFUSED_MS = 30_000;
/**
 * Waits double with each failure. If the message perhaps arrived, they end at this, because it is sent again.
 */
const MOST_MS = 10 * 60_000;
/** Messages that are kept to be edited. */
const MOST_KEPT = 500;
/** The secret that keeps the messages of all processes. One process writes at a time. */
const KEPT = 'staff-group';

const postSchema = z.object({
  message: z.int(),
  stage: z.enum(['waiting', 'taken']),
  reason: z.enum(REASONS),
  sinceMs: z.number(),
});
type Post = z.infer<typeof postSchema>;
type Stage = Post['stage'] | 'closed';
const postsSchema = z.record(z.string(), postSchema);
type Posts = z.infer<typeof postsSchema>;
const sentSchema = z.object({ message_id: z.int() });

/**
 * Compares the open tickets with what the group shows, again and again, so that no ticket is lost with a
 * process. A message is sent under a lease and its id is stored before the next one. A process that dies
 * between Telegram's answer and the store may leave a message that is sent once more.
 */
export class StaffGroup {
  readonly #parts: StaffGroupParts;
  readonly #stopping = new AbortController();
  #fault: string | undefined;
  /** Rounds that failed, since the last one that did not. */
  #failed = 0;
  #rounds: Promise<void> | undefined;

  constructor(parts: StaffGroupParts) {
    this.#parts = parts;
  }

  /** What is wrong with the group, for operators. */
  faults(): readonly string[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  /** Whether the bot may write there; its answer is in `faults`. Never rejects. */
  async check(): Promise<void> {
    await this.#try(() => this.#parts.api.call('getChat', { chat_id: this.#parts.chat }));
  }

  start(): void {
    this.#rounds = this.#keepPosting(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#rounds;
  }

  async #keepPosting(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await pause(this.#waitAfter(await this.#try(() => this.#postNext())), signal);
  }

  /** How long to wait after a round, ms. Telegram says how long after a 429. */
  #waitAfter(failure: CallFailure | undefined): number {
    const { everyMs = EVERY_MS } = this.#parts;
    if (failure === undefined || failure.kind === 'delivered') {
      this.#failed = 0;
      return everyMs;
    }
    this.#failed += 1;
    const doubledMs = everyMs * 2 ** this.#failed;
    switch (failure.kind) {
      case 'throttled':
        return Math.max(everyMs, failure.afterMs ?? REFUSED_MS);
      case 'rejected':
      case 'unreachable':
        return Math.max(everyMs, REFUSED_MS);
      case 'uncertain':
        return Math.min(MOST_MS, doubledMs);
      case 'undelivered':
      case 'unauthorized':
        return Math.min(REFUSED_MS, doubledMs);
    }
  }

  /** Resolves to how it failed. Keeps why Telegram refuses the group; other faults pass by themselves. */
  async #try(work: () => Promise<unknown>): Promise<CallFailure | undefined> {
    try {
      await work();
      this.#fault = undefined;
      return undefined;
    } catch (err) {
      if (!(err instanceof ApiError)) {
        const isStore = err instanceof StoreUnavailable;
        if (!isStore) this.#parts.observe.log.error({ err }, 'telling the group of staff failed');
        return { kind: isStore ? 'undelivered' : 'uncertain' };
      }
      const { meaning, message } = err;
      const hint = 'add the bot to the group, and look whether its id is right';
      if (meaning.kind === 'rejected' || meaning.kind === 'unreachable')
        this.#fault = `STAFF_TELEGRAM_CHAT: Telegram refuses this group (${message}): ${hint}`;
      return meaning;
    }
  }

  /** Makes one change, if any is due. Other processes wait meanwhile. */
  async #postNext(): Promise<void> {
    const { secrets } = this.#parts;
    if (!(await this.#findChange(await secrets.read(KEPT)))) return;
    await secrets.replace(KEPT, async (kept) => {
      const posts = readPosts(kept);
      const change = await this.#findChange(kept);
      if (!change) return JSON.stringify(posts);
      const { id, stage, post } = change;
      const message = await this.#show(change);
      const { [id]: _, ...others } = posts;
      const next = stage === 'closed' ? others : { ...others, [id]: { ...post, message, stage } };
      return JSON.stringify(Object.fromEntries(Object.entries(next).slice(-MOST_KEPT)));
    });
  }

  async #findChange(kept: string | undefined): Promise<PostChange | undefined> {
    const posts = readPosts(kept);
    const { tickets } = await this.#parts.tickets.list('open');
    for (const seen of tickets) {
      const { id, reason, openedMs } = seen.ticket;
      const stage = stageOf(seen);
      const post = posts[id];
      if (stage === 'closed' || post?.stage === stage || (!post && stage === 'taken')) continue;
      return { id, stage, post: post ?? { reason, sinceMs: waitingSinceMs(seen.ticket) ?? openedMs } };
    }
    const open = new Set(tickets.map(({ ticket }) => ticket.id));
    for (const [id, post] of Object.entries(posts)) {
      // A list may lack the tickets of a part of the store that does not answer.
      const seen = open.has(id) ? undefined : await this.#parts.tickets.find(id);
      if (seen !== undefined && (seen === null || stageOf(seen) === 'closed'))
        return { id, stage: 'closed', post };
    }
    return undefined;
  }

  /** Sends the message, or edits it; returns its id. */
  async #show({ id, stage, post }: PostChange): Promise<number> {
    const { api, chat } = this.#parts;
    const text = this.#textOf({ id, stage, post });
    const content = { chat_id: chat, text, link_preview_options: { is_disabled: true } };
    if (post.message === undefined)
      return sentSchema.parse(await api.call('sendMessage', content)).message_id;
    await api.call('editMessageText', { ...content, message_id: post.message }).catch((error: unknown) => {
      // A member deleted it, or it is too old to be edited.
      if (failureIn(error).meaning.kind !== 'rejected') throw error;
    });
    return post.message;
  }

  /** Nothing personal: why, since when, and where. */
  #textOf({ id, stage, post: { reason, sinceMs } }: PostChange): string {
    const { words, locale, timeZone, inboxUrl } = this.#parts;
    const format = { hour: '2-digit', minute: '2-digit', timeZone } as const;
    const since = new Intl.DateTimeFormat(locale, format).format(sinceMs);
    const lines = [
      words.line({ key: 'telegram.ticket', context: reason, params: { since } }, locale),
      ...(stage === 'waiting' ? [] : [words.line({ key: `telegram.ticket.${stage}` }, locale)]),
      inboxUrl === undefined ? id : `${inboxUrl}/${id}`,
    ];
    return lines.join('\n');
  }
}

type PostChange = {
  readonly id: string;
  readonly stage: Stage;
  readonly post: Pick<Post, 'reason' | 'sinceMs'> & { readonly message?: number };
};

const stageOf = ({ ticket: { closed, claimedBy, answeredMs, waitsMs } }: SeenTicket): Stage => {
  if (closed) return 'closed';
  return claimedBy !== undefined || (answeredMs !== undefined && waitsMs === undefined) ? 'taken' : 'waiting';
};

function readPosts(kept: string | undefined): Posts {
  return kept === undefined ? {} : (postsSchema.safeParse(JSON.parse(kept)).data ?? {});
}
