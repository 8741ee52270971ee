import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { parseSync, Visitor } from 'oxc-parser';
import { checkSync } from 'recheck';
import { expect, test, vi } from 'vitest';

/*
 * Every regular expression takes linear time, as it is written and as the bot builds it from the shipped
 * words. recheck says so; `npm run patterns` asks about new ones and keeps its verdicts. A time-out is a
 * failure.
 */

type Pattern = { readonly source: string; readonly flags: string; readonly place: string };

const VERDICTS = '../.ci/patterns.txt';
const MOST_MS = 180_000;
/** Longer patterns are kept by their hash. */
const MAX_KEY = 200;
/** What makes the bot build the patterns that it does not build at its start. */
const SAID = 'TIVI 000 000 633|đổi quà|mình lấy 2 cái loa 250 điểm|tháng này|bỏ mã đầu|trang 2'.split('|');

const isNamed = (node: object, name: RegExp) => 'name' in node && name.test(String(node.name));

/** The patterns that a source writes, and the places where it builds others. */
function parse(file: string, text: string): { written: Pattern[]; builds: string[] } {
  const { program, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const written: Pattern[] = [];
  const builds: string[] = [];
  const placeOf = ({ start }: { start: number }) => `${file}:${text.slice(0, start).split('\n').length}`;
  new Visitor({
    Literal(node) {
      if (!('regex' in node)) return;
      written.push({ source: node.regex.pattern, flags: node.regex.flags, place: placeOf(node) });
    },
    NewExpression: (node) => void (isNamed(node.callee, /^RegExp$/) && builds.push(placeOf(node))),
    CallExpression: (node) => void (isNamed(node.callee, /^RegExp$/) && builds.push(placeOf(node))),
  }).visit(program);
  return { written, builds };
}

/**
 * The patterns that the whole bot builds from the shipped words, at its start and while somebody speaks to
 * it.
 */
async function runBot(): Promise<Pattern[]> {
  const built: Pattern[] = [];
  const Plain = globalThis.RegExp;
  vi.resetModules();
  const construct = (target: RegExpConstructor, [pattern, given]: [string, string?]) => {
    const made = new target(pattern, given);
    const [, at = ''] = new Error().stack?.split('\n')[2]?.split(`${process.cwd()}/`) ?? [];
    const place = /^(?:src|examples)\/[^:]+:\d+/.exec(at)?.[0];
    if (place !== undefined) built.push({ source: made.source, flags: made.flags, place });
    return made;
  };
  vi.stubGlobal('RegExp', new Proxy(Plain, { construct }));
  const { startBot } = await import('./support/app.ts');
  const { createClient } = await import('../src/channels/staff/client.ts');
  const bot = await startBot();
  for (const text of SAID) await createClient(bot.url).send({ conversation: 'patterns', text });
  await bot.stop();
  vi.unstubAllGlobals();
  return built;
}

function keyOf({ source, flags }: Omit<Pattern, 'place'>): string {
  const whole = `/${source}/${flags}`;
  return whole.length <= MAX_KEY ? whole : `${hash('sha256', whole).slice(0, 32)} ${whole.slice(0, 40)}…`;
}

/** `proved`; `tried` where recheck has no proof, and all that it tried was linear; else what is wrong. */
function judge({ source, flags }: Omit<Pattern, 'place'>): string {
  vi.stubEnv('RECHECK_BACKEND', 'pure');
  // Names of groups change nothing, and recheck knows none that stand twice.
  const unnamed = source.includes('\\k<') ? source : source.replaceAll(/\(\?<\w+>/g, '(');
  const result = checkSync(unnamed, flags, {
    timeout: MOST_MS,
    attackTimeout: null,
    incubationTimeout: null,
  });
  if (result.status === 'safe') return result.complexity.isFuzz ? 'tried' : 'proved';
  return result.status === 'vulnerable' ? result.complexity.summary : `undecided: ${result.error.kind}`;
}

test('every regular expression takes linear time', { timeout: 1_800_000 }, async () => {
  const files = globSync('{src,examples}/**/*.{ts,mjs,js}');
  const sources = files.map((file) => parse(file, readFileSync(file, 'utf8')));
  const built = await runBot();
  const places = new Set(built.map(({ place }) => place));
  const unseen = sources.flatMap(({ builds }) => builds).filter((place) => !places.has(place));
  expect(unseen, 'Built in no run: write a literal, or add to SAID').toEqual([]);

  const file = readFileSync(new URL(VERDICTS, import.meta.url), 'utf8');
  const before = new Map(
    [...file.matchAll(/^(proved|tried) (.+)$/gm)].map(([, verdict, key]) => [key, verdict]),
  );
  const patterns = [...sources.flatMap(({ written }) => written), ...built];
  const verdicts = [...new Map(patterns.map((pattern) => [keyOf(pattern), pattern]))].map(
    ([key, pattern]) => ({ key, place: pattern.place, verdict: before.get(key) ?? judge(pattern) }),
  );
  expect(verdicts.filter(({ verdict }) => verdict !== 'proved' && verdict !== 'tried')).toEqual([]);
  const lines = verdicts.map(({ key, verdict }) => `${verdict} ${key}\n`).sort();
  await expect(lines.join(''), 'npm run patterns writes them').toMatchFileSnapshot(VERDICTS);
});

test.each([
  [String.raw`(?:TIVI)(?: ?\d+)+x`, /^exponential/],
  [String.raw`(?<name>\S+)@|(?<name>a*)*$`, /^exponential/],
  [String.raw`(?:TIVI) ?\d+(?: \d+)*x`, /^proved/],
])('the gate judges %s', (source, verdict) => {
  expect(judge({ source, flags: 'u' })).toMatch(verdict);
});
