import { setTimeout as delay } from 'node:timers/promises';
import type { Customer, Heard, Sent } from './faults-customer.ts';
import type { Random } from './faults-random.ts';
import {
  confirmIn,
  earning,
  GIFT,
  isSummary,
  type Lived,
  type Result,
  resultIn,
  saying,
} from './faults-stories.ts';

/** What a customer does next, after a while. All of it is decided beforehand, so that a seed brings it again. */
export type Episode = { readonly afterMs: number } & Doing;

type Doing =
  /** Several messages in a row, without waiting for an answer. */
  | { readonly kind: 'talk'; readonly words: readonly string[]; readonly repeat: boolean }
  | (Pressing & { readonly kind: 'earn'; readonly code: string })
  | (Pressing & { readonly kind: 'spend' });

type Pressing = {
  /** Some updates come again. */
  readonly repeat: boolean;
  /** The same button is pressed again, after the result. */
  readonly again: boolean;
  /** A message with this word, sent after the press, may overtake it. */
  readonly overtaking: string | null;
};

/** What a customer lived through. `serials` as the checker wants them. */
export type Life = {
  readonly messages: number;
  readonly serials: readonly string[];
  readonly operations: readonly Lived[];
};

/** A customer who is told to wait presses again after this long; never told otherwise, they are one who heard nothing. */
const BUSY_MS = 1000;
const MAX_PRESSES = 20;
const MAX_PAUSE_MS = 1500;
const KINDS = ['earn', 'spend', 'spend', 'talk', 'talk'] as const;

/** About so many messages of a customer; `code` gives codes that are good, `serial` words that are only talked about. */
export function planEpisodes(
  random: Random,
  messages: number,
  { code, serial }: { code(): string; serial(): string },
): Episode[] {
  const episodes: Episode[] = [];
  for (let planned = 0; planned < messages; ) {
    const kind = random.pick(KINDS);
    const repeat = random.chance(0.3);
    const afterMs = random.between(0, MAX_PAUSE_MS);
    if (kind === 'talk') {
      const words = Array.from({ length: random.between(2, 7) }, serial);
      planned += words.length;
      episodes.push({ kind, words, repeat, afterMs });
      continue;
    }
    const overtaking = random.chance(0.25) ? serial() : null;
    const again = random.chance(0.3);
    const pressing = { afterMs, repeat, again, overtaking };
    planned += (kind === 'earn' ? 2 : 3) + (overtaking === null ? 0 : 1) + (again ? 1 : 0);
    episodes.push(kind === 'spend' ? { kind, ...pressing } : { kind, code: code(), ...pressing });
  }
  return episodes;
}

/** Lives the episodes, one after the other; tells of each message that was taken. Rejects where the bot stays silent. */
export async function live(
  customer: Customer,
  episodes: readonly Episode[],
  onMessage: () => void,
): Promise<Life> {
  const serials: string[] = [];
  const operations: Lived[] = [];
  let messages = 0;

  async function sent(message: Promise<Sent>, repeat: boolean): Promise<void> {
    messages += 1;
    const done = await message;
    onMessage();
    if (repeat) await customer.sendsAgain(done);
  }

  async function talks(word: string, text: string, repeat: boolean): Promise<void> {
    await sent(customer.writes(text), repeat);
    serials.push(word);
  }
  const says = (word: string, repeat: boolean) => talks(word, saying(word, customer), repeat);

  async function presses(summary: Heard, { repeat, again, overtaking }: Pressing): Promise<Result> {
    const from = customer.heard.length;
    const data = confirmIn(summary);
    const press = sent(customer.presses(data), repeat);
    if (overtaking === null) await press;
    else await Promise.all([press, says(overtaking, false)]);
    const result = await resultOf(from, overtaking, data);
    if (again) await sent(customer.presses(data), false);
    return result;
  }

  /** What was overtaken is expired: then the answer to the message comes without a result before it. */
  async function resultOf(
    from: number,
    overtaking: string | null,
    data: string,
    presses = 1,
  ): Promise<Result> {
    if (overtaking !== null) {
      const answer = await customer.hears(isSummary(overtaking), from);
      const before = customer.heard.slice(from, customer.heard.indexOf(answer));
      if (!before.some(({ key }) => key !== undefined && PROCESSED.test(key))) return 'expired';
    }
    // The summary that was pressed may be one of before, told late: then there is another, and nothing was done.
    const isNewer = (message: Heard) => message.key === 'redeem.summary' && confirmIn(message) !== data;
    const told = await customer.hears(
      (message) => isBusy(message) || resultIn(message) !== undefined || isNewer(message),
      from,
    );
    if (isNewer(told) && presses < MAX_PRESSES) {
      const next = customer.heard.indexOf(told) + 1;
      await sent(customer.presses(confirmIn(told)), false);
      return resultOf(next, null, confirmIn(told), presses + 1);
    }
    if (!isBusy(told)) return resultIn(told) ?? 'nothing';
    // The button stays alive, unless another question was asked meanwhile.
    if (overtaking !== null) return 'expired';
    await delay(BUSY_MS);
    const next = customer.heard.length;
    await sent(customer.presses(data), false);
    return presses === MAX_PRESSES ? 'nothing' : resultOf(next, null, data, presses + 1);
  }

  for (const episode of episodes) {
    await delay(episode.afterMs);
    const from = customer.heard.length;
    switch (episode.kind) {
      case 'talk':
        for (const word of episode.words) await says(word, episode.repeat);
        for (const word of episode.words) await customer.hears(isSummary(word), from);
        break;
      case 'earn': {
        // What was talked about is no part of it.
        await sent(customer.writes('cancel'), false);
        // A message that overtakes the press is answered with this code, too: the word is the message's own.
        const word = `e${episode.code.toLowerCase()}`;
        const email = `${word}@example.vn`;
        await talks(word, earning(episode.code, { ...customer, email }), episode.repeat);
        const summary = await customer.hears(isSummary(word), from);
        operations.push({ kind: 'accumulate', code: episode.code, heard: await presses(summary, episode) });
        break;
      }
      case 'spend': {
        await sent(customer.writes(`/redeem ${GIFT}`), episode.repeat);
        // Where the flow before it was not finished, the proof that it had is still good.
        const next = await customer.hears(
          ({ key }) => key === 'identity.proofNeeded' || key === 'redeem.summary',
          from,
        );
        if (next.key === 'identity.proofNeeded') await sent(customer.shares(), episode.repeat);
        const summary = await customer.hears(({ key }) => key === 'redeem.summary', from);
        operations.push({ kind: 'redeem', code: GIFT, heard: await presses(summary, episode) });
      }
    }
  }
  return { messages, serials, operations };
}

/** What tells that a press came in time. */
const PROCESSED = /^(operation|redeem\.(done|refused)|accumulate\.(done|refused)|service)/;

const isBusy = ({ key }: Heard): boolean => key?.startsWith('operation.busy') === true;
