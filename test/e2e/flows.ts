import { expect, test } from 'vitest';
import type { Chat } from './chat.ts';
import type { Language } from './wording.ts';
import type { World } from './world.ts';

/** Garnacho's own, as Telegram shares it and as AntCRM keeps it. */
export const OWN_PHONE = '84867123456';
export const PHONE = '0867123456';

const WORDS = {
  vi: {
    accumulate: 'tích điểm TIVI000000001',
    redeem: 'đổi quà',
    history: 'lịch sử',
    points: 'điểm của tôi',
    earned: '+100 điểm · Tivi',
    spent: '−10 điểm · Đầu máy',
  },
  en: {
    accumulate: 'earn TIVI000000001',
    redeem: 'redeem',
    history: 'history',
    points: 'my points',
    earned: '+100 points · Tivi',
    spent: '−10 points · Player',
  },
} as const satisfies Record<Language, object>;

/** What every bot must be able to do, whatever store is behind it and however many of it there are. */
export function flowTests(world: () => World, chatIn: (language: Language) => Chat): void {
  describeLanguage('vi', 'Vietnamese');
  describeLanguage('en', 'English');

  function describeLanguage(language: Language, name: string): void {
    const words = WORDS[language];

    test(`a customer earns points with a code, in ${name}`, async () => {
      const chat = chatIn(language);
      await chat.writes(words.accumulate);
      await chat.hears('accumulate.askPhone');
      await chat.writes('0912 345 678');
      await chat.hears('accumulate.askEmail');
      await chat.writes('minh@example.vn');
      const summary = await chat.hears(
        'accumulate.summary',
        'summary.code',
        'summary.phone',
        'summary.email',
      );
      expect(summary).toContain('TIVI000000001');
      await chat.presses('confirm');
      expect(await chat.hears('accumulate.done', 'receipt.accumulate')).toContain(words.earned);
      await chat.hears('privacy.consent');
      expect(await world().sandbox.records('point', '0912345678')).toMatchObject([
        { status: 1, code: 'TIVI000000001' },
      ]);
    });

    test(`a customer spends points on a gift with a shared contact, in ${name}`, async () => {
      const chat = chatIn(language);
      const before = await world().sandbox.records('gift', PHONE);
      await chat.writes(words.redeem);
      await chat.hears('redeem.askGift');
      await chat.presses('gift:DAUMAY01');
      await proves(chat);
      await chat.hears('redeem.summary', 'summary.gift', 'summary.price', 'summary.irreversible');
      await chat.presses('confirm');
      expect(await chat.hears('redeem.done', 'receipt.redeem')).toContain(words.spent);
      await chat.hears('privacy.consent');
      const [record, ...others] = await world().sandbox.records('gift', PHONE);
      expect(record).toMatchObject({ status: 1, gift: { code: 'DAUMAY01' } });
      expect(others).toEqual(before);
    });

    test(`a customer turns the pages of their history in place, in ${name}`, async () => {
      const chat = chatIn(language);
      await chat.writes(words.history);
      await proves(chat);
      await chat.hears('history.page_point');
      await chat.presses('period:all');
      const first = await chat.hears('history.page_point', 'history.point', 'history.total.point');
      const messages = world().double.shown(chat.id).length;
      const seen = [first];
      for (let page = 2; page <= 9; page++) {
        await chat.presses('next');
        seen.push(await chat.hears('history.page_point', 'history.point'));
      }
      expect(new Set(seen.flatMap(recordLines)).size).toBe(45);
      expect(() => chat.button('next')).toThrow();
      await chat.presses('previous');
      expect(await chat.hears('history.page_point')).toBe(seen.at(-2));
      expect(world().double.shown(chat.id)).toHaveLength(messages);
    });

    test(`a customer asks for their points, in ${name}`, async () => {
      const chat = chatIn(language);
      await chat.writes(words.points);
      await proves(chat);
      await chat.hears('points.balance', 'points.rank');
    });
  }
}

/** Without the title, and the sum below the first page. */
const recordLines = (page: string): string[] =>
  page
    .split('\n')
    .slice(1)
    .filter((line) => /^\d/.test(line));

/** Answers the question for a proof by sharing the own contact. */
async function proves(chat: Chat): Promise<void> {
  await chat.hears('identity.proofNeeded');
  await chat.shares(OWN_PHONE);
}

/** Up to the summary of a redemption: what comes next is a press on its confirm button. */
export async function choosesGift(chat: Chat): Promise<void> {
  await chat.writes('/redeem DAUMAY01');
  await proves(chat);
  await chat.hears('redeem.summary');
}

/** Up to the summary of an accumulation, with one message. */
export async function entersCode(chat: Chat, code: string, phone = '0912345678'): Promise<void> {
  await chat.writes(accumulation(code, phone));
  await chat.hears('accumulate.summary');
}

/** Everything that an accumulation needs, in one message that is of no language. */
export const accumulation = (code: string, phone = '0912345678', email = 'minh@example.vn'): string =>
  `/accumulate ${code} ${phone} ${email}`;
