import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { CHANNELS } from '../channels.ts';
import { EXIT_CONFIG, environment } from '../config.ts';
import { explain, problemSchema } from '../http/problem.ts';

/*
 * `npm run operations`: asks the routes of a running bot, and shows what they answer (docs/operators.md). Exit codes: 0 done,
 * 1 refused or no answer, 2 wrong usage, 78 wrong configuration.
 */

const NAMES = [...CHANNELS.map(({ traits }) => traits.name), 'phone'];

export const USAGE = `npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- find WHOM                      the same of one customer: ${NAMES.map((name) => `--${name} ${name === 'phone' ? 'NUMBER' : 'ID'}`).join(' | ')}
npm run operations -- show REF [--reveal]            its story, and what to look for in AntCRM; --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
npm run operations -- remove ID                      removes a dead letter that nobody needs any more
Each with --json for machines, and --as NAME for the record (else the system's user).`;

export type Asked = { readonly path: string; readonly body?: object };

/** Reads the command line; undefined where it is none of `USAGE`. */
export function readCommand(args: readonly string[]): (Asked & { readonly json: boolean }) | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }])),
        json: { type: 'boolean', default: false },
        reveal: { type: 'boolean', default: false },
        as: { type: 'string' },
      },
      allowPositionals: true,
    });
    const { json, reveal, as: by = userName(), ...whom } = values;
    const [name = '', subject = '', ...rest] = positionals;
    const asked = askedBy(name, subject, { by, reveal, whom, result: rest.join(' ') });
    return asked && { ...asked, json };
  } catch {
    return undefined;
  }
}

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'without a name'}`;
  }
}

function askedBy(
  name: string,
  subject: string,
  { by, reveal, whom, result }: { by: string; reveal: boolean; whom: object; result: string },
): Asked | undefined {
  const isWhole =
    (subject === '') === ['list', 'find'].includes(name) &&
    Object.keys(whom).length === (name === 'find' ? 1 : 0) &&
    (name === 'settle' ? /^(done|not-applied)$/ : /^$/).test(result) &&
    (!reveal || name === 'show');
  if (!isWhole) return undefined;
  const of = encodeURIComponent(subject);
  switch (name) {
    case 'list':
      return { path: '/operations' };
    case 'find':
      return { path: '/operations/find', body: whom };
    case 'show':
      return { path: `/operations/${of}?${new URLSearchParams({ reveal: String(reveal), by })}` };
    case 'settle':
      return { path: `/operations/${of}/settle`, body: { result, by } };
    case 'replay':
    case 'remove':
      return { path: `/operations/letters/${of}/${name}`, body: { by } };
    default:
      return undefined;
  }
}

/** An answer for people: names with what stands beside them, a list of things as a table below its name. */
export function linesOf(answer: object): string[] {
  return Object.entries(answer).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [`${name.padEnd(14)}${wordsOf(value)}`];
    return [`${name} (${value.length})`, ...tableOf(value), ''];
  });
}

/** Columns as wide as they need. */
function tableOf(things: readonly unknown[]): string[] {
  const head = things.slice(0, 1).flatMap((thing) => (isThing(thing) ? [Object.keys(thing)] : []));
  const rows = things.map((thing) => (isThing(thing) ? Object.values(thing) : [thing]).map(wordsOf));
  const all = [...head, ...rows];
  const width = (column: number) => Math.max(...all.map((row) => row[column]?.length ?? 0));
  return all.map((row) => `  ${row.map((cell, at) => cell.padEnd(width(at))).join('  ')}`.trimEnd());
}

const isThing = (value: unknown): value is object => typeof value === 'object' && value !== null;
const wordsOf = (value: unknown): string =>
  isThing(value) ? Object.values(value).map(wordsOf).join(' ') : String(value ?? '?');

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const asked = readCommand(args);
  if (asked === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { PORT = '3000', ADMIN_PORT = PORT, OPERATOR_TOKEN, ...env } = environment();
  const { BOT_URL = `http://localhost:${ADMIN_PORT}` } = env;
  if (OPERATOR_TOKEN === undefined || !URL.canParse(BOT_URL)) {
    console.error('Wants OPERATOR_TOKEN, as the bot has it, and in BOT_URL its address for operators.');
    return EXIT_CONFIG;
  }
  const { path, body, json } = asked;
  try {
    const response = await fetch(BOT_URL.replace(/\/$/, '') + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${OPERATOR_TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    // The routes say more of what they do not find.
    if (response.status === 404 && !problemSchema.parse(answer).detail) throw new Error('no such route');
    if (json) console.log(JSON.stringify(answer, null, 2));
    else if (!response.ok) console.log(explain(problemSchema.parse(answer)).join('\n'));
    else if (isThing(answer)) console.log(linesOf(answer).join('\n').trimEnd());
    return response.ok ? 0 : 1;
  } catch {
    console.error(
      `No bot with OPERATOR_TOKEN answers at ${BOT_URL}: is that its address for operators (BOT_URL)?`,
    );
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
