import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flows } from '../../src/conversation/flows/index.ts';
import { WORDING } from '../../src/i18n.ts';
import { commands } from '../support/conversation.ts';
import { missingWords } from '../support/flow-words.ts';

/*
 * A flow is one file: whoever adds or takes away one touches that file, its line in `flows/index.ts` and its words.
 */

/** Files that may say a flow's name beside its own, and what they mean by it. */
const MAY_NAME: readonly { readonly files: RegExp; readonly means: RegExp }[] = [
  // Effects and the calls of AntCRM have names of their own, some of them the same.
  {
    files: /^conversation\/(effect|step|dialogue\/(advance|pages))\.ts$/,
    means: /^(accumulate|redeem|history)$/,
  },
  { files: /^conversation\/flows\/reads\.ts$/, means: /^(points|history)$/ },
  {
    files: /^(loyalty|sandbox|operators|cli|observability|engine|store)\//,
    means: /^(accumulate|redeem|history)$/,
  },
  // What the console shows is of AntCRM's calls; `points` is the unit of a rate limiter, too.
  { files: /^(console|store)\//, means: /./ },
  // Examples of the staff webhook's document.
  { files: /^channels\/staff\/\w+\.ts$/, means: /^(accumulate|redeem)$/ },
];

const SOURCES = new URL('../../src/', import.meta.url);

function sources(): Readonly<Record<string, string>> {
  const files = globSync('**/*.{ts,js}', { cwd: SOURCES });
  return Object.fromEntries(files.map((file) => [file, readFileSync(new URL(file, SOURCES), 'utf8')]));
}

/** Where sources say the name of a flow as a string, or import its file. */
function mentions(names: readonly string[], files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).flatMap(([file, source]) => {
    const isListed = file === 'conversation/flows/index.ts';
    return names.flatMap((name) => {
      if (file === `conversation/flows/${name}.ts`) return [];
      const isAllowed = MAY_NAME.some(({ files, means }) => files.test(file) && means.test(name));
      const says = new RegExp(`(['"\`])${name}\\1`).test(source);
      const imports = new RegExp(`from '[^']*flows/${name}\\.ts'|from '\\./${name}\\.ts'`).test(source);
      const isFlowFile = imports && /^conversation\//.test(file);
      return [
        ...(says && !isAllowed && !isListed ? [`${file} says ${name}`] : []),
        ...(isFlowFile && !isListed ? [`${file} imports ${name}`] : []),
      ];
    });
  });
}

const NAMES = flows.map(({ name }) => name);

describe('the name of a flow', () => {
  it('stands in its own file, in the list, in the wording, and nowhere else', () => {
    expect(NAMES.length).toBeGreaterThan(3);
    expect(mentions(NAMES, sources())).toEqual([]);
  });

  it.each([
    ['conversation/dialogue/form.ts', "if (flow === 'redeem') return;", 1],
    ['conversation/dialogue/text.ts', "import { redeem } from '../flows/redeem.ts';", 1],
    ['channels/telegram/check.ts', "const COMMANDS = ['redeem'];", 1],
    ['conversation/flows/reads.ts', "import { redeem } from './redeem.ts';", 1],
    ['conversation/flows/redeem.ts', "name: 'redeem'", 0],
    ['conversation/flows/index.ts', "import { redeem } from './redeem.ts';", 0],
    ['loyalty/loyalty.ts', "case 'redeem':", 0],
  ])('is seen where it is planted: %s', (file, source, found) => {
    expect(mentions(['redeem'], { [file]: source })).toHaveLength(found);
  });
});

describe('a flow', () => {
  it('is missed by its words: flow, language and key are named', () => {
    const { 'choice.history': _, ...vi } = WORDING.vi;
    expect(missingWords(flows, { ...WORDING, vi })).toEqual(['history, vi, choice.history']);
  });

  it('has a command in every menu, before what all conversations have', () => {
    expect(commands.map(({ name }) => name)).toEqual([...NAMES, 'language', 'privacy', 'help', 'cancel']);
  });
});
