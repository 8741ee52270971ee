import { parseArgs } from 'node:util';
import { CHANNELS } from '../channels.ts';
import { EXIT_CONFIG, environment } from '../config.ts';
import { explain, problemSchema } from '../http/problem.ts';

/*
 * `npm run operations`: a client of a running bot's `/operations` (docs/operators.md). Exit codes: 0 done, 1
 * refused or no answer, 2 wrong usage, 78 wrong configuration.
 */

const NAMES = [...CHANNELS.map(({ traits }) => traits.name), 'phone'];
const WHOM = NAMES.map((name) => `--${name} ${name === 'phone' ? 'NUMBER' : 'ID'}`).join(' | ');

export const USAGE = `
npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- find WHOM                      the same of one customer: ${WHOM}
npm run operations -- show REF [--reveal]            its story, and what to look for in AntCRM;
                                                     --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
npm run operations -- remove ID                      removes a dead letter that nobody needs any more
Each with --json for machines, and --as NAME for the record (else the system's user).`.trim();

type BotRequest = { readonly path: string; readonly body?: object };
type Arguments = { readonly by: string; readonly reveal: boolean; readonly whom: object };

/** Reads the command line; undefined if it is none of `USAGE`. */
export function readCommand(args: readonly string[]): (BotRequest & { readonly json: boolean }) | undefined {
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
    const { json, reveal, as: by = process.env.USER ?? `user ${process.getuid?.()}`, ...whom } = values;
    const request = toRequest(positionals, { by, reveal, whom });
    return request && { ...request, json };
  } catch {
    return undefined;
  }
}

function toRequest(words: readonly string[], { by, reveal, whom }: Arguments): BotRequest | undefined {
  const [name = '', subject = '', result = ''] = words;
  const count = { list: 1, find: 1, settle: 3 }[name] ?? 2;
  const wrongOption = reveal ? name !== 'show' : false;
  const customers = name === 'find' ? 1 : 0;
  if (words.length !== count || wrongOption || Object.keys(whom).length !== customers) return undefined;
  const id = encodeURIComponent(subject);
  switch (name) {
    case 'list':
      return { path: '/operations' };
    case 'find':
      return { path: '/operations/find', body: whom };
    case 'show':
      return { path: `/operations/${id}?${new URLSearchParams({ reveal: String(reveal), by })}` };
    case 'settle':
      if (result !== 'done' && result !== 'not-applied') return undefined;
      return { path: `/operations/${id}/settle`, body: { result, by } };
    case 'replay':
    case 'remove':
      return { path: `/operations/letters/${id}/${name}`, body: { by } };
    default:
      return undefined;
  }
}

/** An answer as lines for people: each name with its value, a list as a table below its name. */
export function formatAnswer(answer: object): string[] {
  return Object.entries(answer).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [`${name.padEnd(14)}${formatValue(value)}`];
    return [`${name} (${value.length})`, ...formatTable(value), ''];
  });
}

function formatTable(things: readonly unknown[]): string[] {
  const head = things.slice(0, 1).flatMap((thing) => (isObject(thing) ? [Object.keys(thing)] : []));
  const body = things.map((thing) => (isObject(thing) ? Object.values(thing) : [thing]).map(formatValue));
  const rows = [...head, ...body];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(width(at))).join('  ')}`.trimEnd());
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const formatValue = (value: unknown): string =>
  isObject(value) ? Object.values(value).map(formatValue).join(' ') : String(value ?? '?');

async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  if (args.includes('--help') || command === undefined) {
    const isHelp = args.includes('--help');
    (isHelp ? console.log : console.error)(USAGE);
    return isHelp ? 0 : 2;
  }
  const { PORT = '3000', ADMIN_PORT = PORT, OPERATOR_TOKEN, ...env } = environment();
  const { BOT_URL = `http://localhost:${ADMIN_PORT}` } = env;
  if (OPERATOR_TOKEN === undefined || !URL.canParse(BOT_URL)) {
    console.error('Wants OPERATOR_TOKEN, as the bot has it, and in BOT_URL its address for operators.');
    return EXIT_CONFIG;
  }
  const { path, body, json } = command;
  const content = body && { method: 'POST', body: JSON.stringify(body) };
  const headers = {
    authorization: `Bearer ${OPERATOR_TOKEN}`,
    ...(body && { 'content-type': 'application/json' }),
  };
  try {
    const response = await fetch(BOT_URL.replace(/\/$/, '') + path, { headers, ...content });
    const answer: unknown = await response.json();
    // The bot's own 404 always has a detail; this one is of a route that is absent.
    if (response.status === 404 && !problemSchema.parse(answer).detail) throw new Error('no such route');
    if (json) console.log(JSON.stringify(answer, null, 2));
    else if (!response.ok) console.log(explain(problemSchema.parse(answer)).join('\n'));
    else if (isObject(answer)) console.log(formatAnswer(answer).join('\n').trimEnd());
    return response.ok ? 0 : 1;
  } catch {
    console.error(`No bot with OPERATOR_TOKEN answers at ${BOT_URL}: is that its address for operators?`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
