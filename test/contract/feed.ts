import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FEED_LENGTH, type Feed } from '../../src/store/port.ts';

/** A fresh, empty store with one feed on it; `another` is a second process on the same store. */
export type OpenFeed = (feedMs?: number) => Promise<{
  feed: Feed;
  another(): Promise<Feed>;
  close(): Promise<void>;
}>;

const someName = (): string => randomBytes(16).toString('base64url');
const event = (seq: number) => ({ seq, body: Buffer.from(`event ${seq}`) });

/** What every feed must do: each promise of `src/store/port.ts`, run for each implementation. */
export function feedContract(name: string, open: OpenFeed): void {
  describe(`the ${name} feed`, () => {
    const fresh = async (feedMs?: number) => {
      const opened = await open(feedMs);
      onTestFinished(opened.close);
      return { ...opened, conversation: someName() };
    };

    /** Follows, and collects the numbers seen. */
    async function follower(feed: Feed, conversation: string, afterSeq = 0) {
      const seqs: number[] = [];
      const stop = await feed.follow(conversation, afterSeq, (found) => {
        expect(found.body.toString()).toBe(`event ${found.seq}`);
        seqs.push(found.seq);
      });
      return { seqs, stop, until: (last: number) => expect.poll(() => seqs.at(-1)).toBe(last) };
    }

    test.each([
      ['a follower', false, 0, [1, 2, 3, 7]],
      ['another process', true, 0, [1, 2, 3, 7]],
      ['whoever has two already', false, 2, [3, 7]],
    ] as const)(
      '%s gets the stored events and then new ones, in order',
      async (_, isOther, afterSeq, seqs) => {
        const { feed, another, conversation } = await fresh();
        for (const seq of [1, 2]) await feed.publish(conversation, event(seq));
        const one = await follower(isOther ? await another() : feed, conversation, afterSeq);
        for (const seq of [3, 7]) await feed.publish(conversation, event(seq));
        await one.until(7);
        expect(one.seqs).toEqual(seqs);
        one.stop();
        const other = await follower(feed, conversation, 7);
        await feed.publish(conversation, event(8));
        await other.until(8);
        expect(one.seqs).toEqual(seqs);
      },
    );

    test('an event that forgets drops the earlier ones, and, sent again late, nothing that came after it', async () => {
      const { feed, another, conversation } = await fresh();
      const forgets = () => feed.publish(conversation, event(3), { forget: true });
      const early = await follower(feed, conversation);
      for (const seq of [1, 2]) await feed.publish(conversation, event(seq));
      await forgets();
      await feed.publish(conversation, event(4));
      for (const again of [forgets, () => feed.publish(conversation, event(2))]) await again();
      const late = await follower(await another(), conversation);
      await Promise.all([early.until(4), late.until(4)]);
      expect(early.seqs).toEqual([1, 2, 3, 4]);
      expect(late.seqs).toEqual([3, 4]);
    });

    test('nothing is missed or doubled between the stored and the new', async () => {
      const { feed, another, conversation } = await fresh();
      const other = await another();
      const publishing = (async () => {
        for (let seq = 1; seq <= 60; seq++) await other.publish(conversation, event(seq));
      })();
      const followers = await Promise.all(Array.from({ length: 5 }, () => follower(feed, conversation)));
      await publishing;
      for (const one of followers) {
        await one.until(60);
        expect(one.seqs).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
      }
    });

    test(`the last ${FEED_LENGTH} events are kept`, async () => {
      const { feed, conversation } = await fresh();
      for (let seq = 1; seq <= FEED_LENGTH + 5; seq++) await feed.publish(conversation, event(seq));
      const one = await follower(feed, conversation);
      await one.until(FEED_LENGTH + 5);
      expect(one.seqs).toHaveLength(FEED_LENGTH);
      expect(one.seqs[0]).toBe(6);
    });

    test('events are forgotten some time after the latest, also beside a busy conversation', async () => {
      const { feed } = await fresh(300);
      const busy = someName();
      const quiet = someName();
      let seq = 1;
      await feed.publish(busy, event(seq));
      await feed.publish(quiet, event(1));
      await feed.publish(quiet, event(2), { forget: true });
      const stored = async () => {
        seq += 1;
        await feed.publish(busy, event(seq));
        const one = await follower(feed, quiet);
        one.stop();
        return one.seqs;
      };
      await expect.poll(stored).toEqual([]);
    });
  });
}
