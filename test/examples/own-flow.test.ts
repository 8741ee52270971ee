import { describe, expect, it, onTestFinished } from 'vitest';
import { createTier } from '../../examples/own-flow/tier.ts';
import { languageTexts, words } from '../../examples/own-flow/words.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { Vocabulary } from '../../src/conversation/language/vocabulary.ts';
import { perLocale } from '../../src/conversation/message.ts';
import { createWords, LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { startBot } from '../support/app.ts';
import { Dialogue, STAFF } from '../support/dialogue.ts';
import { missingWords } from '../support/flow-words.ts';
import { startProcess } from '../support/processes.ts';

const tiers = [
  { name: { vi: 'Vàng', en: 'Gold' }, points: 5000 },
  { name: { vi: 'Bạc', en: 'Silver' }, points: 1000 },
];
const tier = createTier(tiers, () => false);
const all = [...flows, tier];
const wording = perLocale((locale) => ({ ...WORDING[locale], ...words[locale] }));

async function talk(locale: 'vi' | 'en') {
  const bot = await startBot({}, { flows: all, words, languageTexts });
  onTestFinished(() => bot.stop());
  const client = createClient(bot.url);
  return async (message: { text: string } | { choice: string } | { start: string }) => {
    const answer = await client.send({ conversation: `tier-${locale}`, locale, ...message });
    if (answer.status !== 'done') throw new Error(answer.status);
    return answer;
  };
}

describe('a bot with a flow of its own', () => {
  it.each([
    ['vi', 'xem hạng', 'Khách đang ở hạng', 'Còn 50 điểm nữa là lên hạng Vàng'],
    ['en', 'next tier', "The customer's tier is", '50 more points to the tier Gold'],
  ] as const)('tells the tier over the staff webhook: %s', async (locale, asks, now, next) => {
    const say = await talk(locale);
    const asked = await say({ text: asks });
    expect(asked.replies.map(({ key }) => key)).toEqual(['identity.ask']);
    expect(asked.state).toEqual({ flow: 'tier', asks: 'phone' });
    const told = await say({ text: '0867123456' });
    const reply = told.replies.find(({ key }) => key === 'tier.now');
    expect(reply?.text).toContain(now);
    expect(reply?.text).toContain(next);
  });

  it('has its button in the menu, and the other flows go on as before', async () => {
    const say = await talk('vi');
    const { replies } = await say({ text: 'xin chào' });
    expect(replies.at(-1)?.choices?.map(({ label }) => label)).toContain('Hạng thành viên');
    expect((await say({ choice: 'tier' })).replies.map(({ key }) => key)).toEqual(['identity.ask']);
    const points = await say({ text: 'xem điểm 0867123456' });
    expect(points.replies.map(({ key }) => key)).toEqual(['flow.switched', 'points.balance']);
    const again = await say({ text: 'hang 0867123456' });
    expect(again.replies.map(({ key }) => key)).toEqual(['tier.now']);
  });

  it('is understood by each of its phrases', () => {
    const conversation = createConversation({
      flows: all,
      wording,
      languageTexts: [...LANGUAGE_TEXTS, ...languageTexts],
    });
    const { examples } = new Vocabulary(languageTexts);
    expect(examples.length).toBeGreaterThan(0);
    for (const { text } of examples) {
      const chat = new Dialogue(STAFF, {}, conversation).text(text);
      expect([text, chat.state.step]).toEqual([text, expect.objectContaining({ flow: 'tier' })]);
    }
  });

  it('has every word of a flow, in both languages, and says each', () => {
    expect(missingWords([tier], wording)).toEqual([]);
    expect(Object.keys(words.en)).toEqual(Object.keys(words.vi));
    const { line } = createWords({ timeZone: 'Asia/Ho_Chi_Minh', resources: wording });
    expect(line({ key: 'choice.tier' }, 'en')).toBe('My tier');
  });

  it('is held back by a guard of its own before anything is asked', () => {
    const counting = createTier(tiers, () => true);
    const conversation = createConversation({
      flows: [...flows, counting],
      wording,
      languageTexts: [...LANGUAGE_TEXTS, ...languageTexts],
    });
    const chat = new Dialogue(STAFF, {}, conversation).text('xem hạng 0867123456');
    expect([chat.keys, chat.effects]).toEqual([['tier.counting'], []]);
  });

  it('starts by its main.ts', async () => {
    const bot = await startProcess('examples/own-flow/main.ts');
    onTestFinished(() => void bot.kill());
    const [, url = ''] = await bot.line(/(http:\/\/localhost:\d+)\/console/);
    const answer = await createClient(url).send({
      conversation: 'c',
      text: 'next tier 0867123456',
      locale: 'en',
    });
    if (answer.status !== 'done') throw new Error(answer.status);
    expect(answer.replies.map(({ key }) => key)).toContain('tier.now');
    expect(await bot.stop()).toEqual({ code: 0, signal: null });
  });
});
