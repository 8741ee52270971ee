import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTier } from '../examples/own-flow/tier.ts';
import { sayings, words } from '../examples/own-flow/words.ts';
import { createConversation } from '../src/conversation/conversation.ts';
import { flows } from '../src/conversation/flows/index.ts';
import { perLocale } from '../src/conversation/message.ts';
import { SAYINGS, WORDING } from '../src/i18n.ts';
import { Dialogue, STAFF } from './support/dialogue.ts';

/*
 * The recipes of CONTRIBUTING.md, followed: each diff is applied to a copy of the conversation, which is then talked to.
 */

const DIFFS = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/^```diff\n(.*?)^```/gms)].flatMap(
  ([, diff]) => diff ?? [],
);

/** Talks to the conversation that the diff makes, as staff do. */
async function following(diff: string): Promise<Dialogue> {
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const part of ['src/conversation', 'src/i18n.ts', 'locales', 'package.json'])
    cpSync(part, join(folder, part), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  execFileSync('git', ['apply', '-'], { cwd: folder, input: diff });
  const load = (file: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href);
  const [made, changed] = await Promise.all([
    load('src/conversation/conversation.ts'),
    load('src/conversation/flows/index.ts'),
  ]);
  const options = { flows: changed.flows, wording: WORDING, sayings: SAYINGS };
  return new Dialogue(STAFF, {}, made.createConversation(options));
}

describe('the recipes of CONTRIBUTING.md', () => {
  it('are three diffs, of a few lines each', () => {
    expect(DIFFS).toHaveLength(3);
    for (const diff of DIFFS) expect(diff.match(/^[+-](?![+-])/gm)?.length).toBeLessThan(20);
  });

  it('add a flow', async () => {
    const chat = (await following(DIFFS[0] ?? '')).send({ kind: 'choice', choice: 'rank' });
    expect(chat.keys).toEqual(['identity.ask']);
    expect(chat.text('0867123456').replies[0]).toMatchObject({
      key: 'points.rank',
      params: { rank: 'Vàng' },
    });
    expect(chat.question.choices?.map(({ id }) => id)).toContain('rank');
  });

  it('add a slot', async () => {
    const chat = (await following(DIFFS[1] ?? '')).text('đổi loa 0867123456');
    expect(chat.keys).toEqual(['redeem.askEmail']);
    expect(chat.press('skip').keys).toEqual(['redeem.summary']);
  });

  it('add a guard', async () => {
    const chat = (await following(DIFFS[2] ?? '')).text('đổi loa 0867123456');
    expect(chat.keys).toEqual(['gift.gone', 'redeem.askGift']);
    expect(chat.press('gift:DAUMAY01').keys).toEqual(['redeem.summary']);
  });
});

it('a flow from outside is held back by a guard of its own before anything is asked', () => {
  const tier = createTier([{ name: { vi: 'Vàng', en: 'Gold' }, points: 9000 }], () => true);
  const wording = perLocale((locale) => ({ ...WORDING[locale], ...words[locale] }));
  const all = { flows: [...flows, tier], wording, sayings: [...SAYINGS, ...sayings] };
  const chat = new Dialogue(STAFF, {}, createConversation(all)).text('xem hạng 0867123456');
  expect(chat.keys).toEqual(['tier.counting']);
  expect(chat.effects).toEqual([]);
});
