import { describe, expect, it, onTestFinished } from 'vitest';
import { createTier } from '../../examples/own-flow/tier.ts';
import { languageTexts, words } from '../../examples/own-flow/words.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { Vocabulary } from '../../src/conversation/language/vocabulary.ts';
import { perLocale } from '../../src/conversation/message.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { Dialogue, STAFF } from '../support/dialogue.ts';
import { missingWords } from '../support/flow-words.ts';
import { startProcess } from '../support/processes.ts';

const tiers = [
  { name: { vi: 'Vàng', en: 'Gold' }, points: 5000 },
  { name: { vi: 'Bạc', en: 'Silver' }, points: 1000 },
];
const tier = createTier(tiers, () => false);
const wording = perLocale((locale) => ({ ...WORDING[locale], ...words[locale] }));

const converse = (flow: typeof tier) =>
  createConversation({
    flows: [...flows, flow],
    wording,
    languageTexts: [...LANGUAGE_TEXTS, ...languageTexts],
  });

function talk(url: string, locale: 'vi' | 'en') {
  const client = createClient(url);
  return async (message: { text: string } | { choice: string }) => {
    const answer = await client.send({ conversation: locale, locale, ...message });
    if (answer.status !== 'done') throw new Error(answer.status);
    const keys = answer.replies.map(({ key }) => key);
    return { ...answer, keys, last: answer.replies.at(-1) };
  };
}

describe('a bot with a flow of its own', () => {
  it('starts by its main.ts, has its button, tells the tier in both languages, and the others go on', async () => {
    const bot = await startProcess('examples/own-flow/main.ts');
    onTestFinished(() => void bot.kill());
    const [, url = ''] = await bot.line(/(http:\/\/localhost:\d+)\/console/);
    const say = talk(url, 'vi');
    const { last: menu } = await say({ text: 'xin chào' });
    expect(menu?.choices?.map(({ label }) => label)).toContain('Hạng thành viên');
    const asked = { keys: ['identity.ask'], state: { flow: 'tier', asks: 'phone' } };
    expect(await say({ choice: 'tier' })).toMatchObject(asked);
    expect((await say({ text: 'xem điểm 0867123456' })).keys).toEqual(['flow.switched', 'points.balance']);
    const { last } = await say({ text: 'xem hạng 0867123456' });
    expect(last?.text).toContain('Khách đang ở hạng');
    expect(last?.text).toContain('Còn 50 điểm nữa là lên hạng Vàng');
    const sayInEnglish = talk(url, 'en');
    expect(await sayInEnglish({ text: 'next tier' })).toMatchObject(asked);
    const { keys, replies } = await sayInEnglish({ text: '0867123456' });
    const answer = replies[keys.indexOf('tier.now')]?.text;
    expect(answer).toContain("The customer's tier is");
    expect(answer).toContain('50 more points to the tier Gold');
    expect(await bot.stop()).toEqual({ code: 0, signal: null });
  });

  it('is understood by each of its phrases, and has every word, in both languages', () => {
    const conversation = converse(tier);
    const { examples } = new Vocabulary(languageTexts);
    expect(examples.length).toBeGreaterThan(0);
    for (const { text } of examples) {
      const chat = new Dialogue(STAFF, {}, conversation).text(text);
      expect([text, chat.state.step]).toEqual([text, expect.objectContaining({ flow: 'tier' })]);
    }
    expect(missingWords([tier], wording)).toEqual([]);
    expect(Object.keys(words.en)).toEqual(Object.keys(words.vi));
  });

  it('is stopped by its guard before anything is asked', () => {
    const counting = createTier(tiers, () => true);
    const chat = new Dialogue(STAFF, {}, converse(counting)).text('xem hạng 0867123456');
    expect([chat.keys, chat.effects]).toEqual([['tier.counting'], []]);
  });
});
