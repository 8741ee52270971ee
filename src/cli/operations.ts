import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CHANNELS } from '../channels.ts';
import { findClosestName } from '../closest-name.ts';
import { EXIT_CONFIG, environment } from '../config.ts';
import { explain, problemSchema } from '../http/problem.ts';

/*
 * `npm run operations`: a client of a running bot's `/operations` (docs/operators.md). Exit codes: 0 done, 1
 * refused or no answer, 2 wrong usage, 78 wrong configuration.
 */

const NAMES = [...CHANNELS.map(({ traits }) => traits.name), 'phone'];
const WHOM = NAMES.map((name) => `--${name} ${name === 'phone' ? 'NUMBER' : 'ID'}`).join(' | ');

/** What `--help` shows. */
export const USAGE = `
npm run operations -- COMMAND
  list                         operations without an outcome, dead letters
  find WHOM                    the same of one customer:
    ${WHOM}
  show REF [--reveal]          what it is, and what to look for in AntCRM;
                               --reveal unmasks, and is logged
  settle REF done|not-applied  what AntCRM showed: the bot tells the customer
  close REF                    takes an operation off the list of which nothing can be
                               read; the customer is not told
  read ID                      what the message of a dead letter says, and is logged
  replay ID                    hands a dead letter's message in once more
  remove ID                    removes a dead letter
Each with --json for machines, and --as NAME for the record.`.trim();

type BotRequest = { readonly path: string; readonly body?: object; readonly json: boolean };

/** The commands, and how many words each takes, its name included. */
const WORDS = new Map(
  Object.entries({ list: 1, find: 1, show: 2, close: 2, read: 2, replay: 2, remove: 2, settle: 3 }),
);

/** Reads the command line. Throws if it is none of `USAGE`. */
export function readCommand(args: readonly string[]): BotRequest {
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
  const [name = '', subject = '', result] = positionals;
  const isOneCustomer = Object.keys(whom).length === (name === 'find' ? 1 : 0);
  if (!WORDS.has(name)) throw new Error(unknownCommand(name));
  if (positionals.length !== WORDS.get(name) || !isOneCustomer || (reveal && name !== 'show'))
    throw new Error(`${name} wants other words`);
  const id = encodeURIComponent(subject);
  const query = new URLSearchParams({ reveal: String(reveal), by });
  switch (name) {
    case 'list':
      return { json, path: '/operations' };
    case 'find':
      return { json, path: '/operations/find', body: whom };
    case 'show':
      return { json, path: `/operations/${id}?${query}` };
    case 'settle':
      return { json, path: `/operations/${id}/settle`, body: { result, by } };
    case 'close':
      return { json, path: `/operations/${id}/close`, body: { by } };
    case 'read':
      return { json, path: `/operations/letters/${id}?${new URLSearchParams({ by })}` };
    default:
      return { json, path: `/operations/letters/${id}/${name}`, body: { by } };
  }
}

function unknownCommand(name: string): string {
  const closest = findClosestName(name, WORDS.keys());
  const hint = closest === undefined ? '' : `: did you mean ${closest}?`;
  return name === '' ? 'Wants a command' : `There is no command ${name}${hint}`;
}

/** Shows an answer to people: each name with its value, a list as columns or as lines. */
function print(answer: object): void {
  for (const [name, value] of Object.entries(answer)) {
    if (Array.isArray(value)) {
      console.log(`${name} (${value.length})`);
      for (const line of toLines(value)) console.log(`  ${line}`);
    } else {
      const fields = rowSchema.safeParse(value).data;
      console.log(name.padEnd(14), fields ? Object.values(fields).join(' ') : (value ?? '?'));
    }
  }
}

/** A line for each entry; objects stand in columns below their names. */
function toLines(entries: readonly unknown[]): string[] {
  const { data: rows = [] } = z.array(rowSchema).safeParse(entries);
  if (rows.length === 0) return entries.map(String);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '?')))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const rowSchema = z.looseObject({});

/** Asks the bot, and shows its answer. */
async function ask({ path, body, json }: BotRequest): Promise<number> {
  const { PORT = '3000', ADMIN_PORT = PORT, OPERATOR_TOKEN, ...env } = environment();
  const { BOT_URL = `http://localhost:${ADMIN_PORT}` } = env;
  if (OPERATOR_TOKEN === undefined || !URL.canParse(BOT_URL)) {
    console.error('Wants OPERATOR_TOKEN, as the bot has it, and in BOT_URL its address for operators.');
    return EXIT_CONFIG;
  }
  const content = body && { method: 'POST', body: JSON.stringify(body) };
  const type = body && { 'content-type': 'application/json' };
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, ...type };
  try {
    const response = await fetch(BOT_URL.replace(/\/$/, '') + path, { headers, ...content });
    const answer = z.looseObject({}).parse(await response.json());
    // The bot's own 404 always has a detail; this one is of a route that is absent.
    if (response.status === 404 && !answer.detail) throw new Error('no such route');
    if (json) console.log(JSON.stringify(answer, null, 2));
    else if (response.ok) print(answer);
    else console.log(explain(problemSchema.parse(answer)).join('\n'));
    return response.ok ? 0 : 1;
  } catch {
    console.error(`No bot with OPERATOR_TOKEN answers at ${BOT_URL}: is that its address for operators?`);
    return 1;
  }
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  if (args.includes('--help')) console.log(USAGE);
  else
    try {
      process.exitCode = await ask(readCommand(args));
    } catch (error) {
      // If an option is unknown, Node's message names it.
      console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
      process.exitCode = 2;
    }
}
