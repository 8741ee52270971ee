import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CHANNELS } from '../channels.ts';
import { EXIT_CONFIG, environment } from '../config.ts';
import { explain, problemSchema } from '../http/problem.ts';
import {
  filedSchema,
  type List,
  listSchema,
  PHONE,
  type Settled,
  type Shown,
  settledSchema,
  shownSchema,
} from '../operators/api.ts';

/*
 * `npm run operations`: asks the routes of a running bot, and shows what they answer (docs/operators.md). Exit codes: 0 done,
 * 1 refused or no answer, 2 wrong usage, 78 wrong configuration.
 */

const NAMES = [...CHANNELS.map(({ traits }) => traits.name), PHONE];

export const USAGE = `npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- find WHOM                      the same of one customer: ${NAMES.map((name) => `--${name} ${name === PHONE ? 'NUMBER' : 'ID'}`).join(' | ')}
npm run operations -- show REF [--reveal]            its story, and what to look for in AntCRM; --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
npm run operations -- remove ID                      removes a dead letter that nobody needs any more
Each with --json for machines, and --as NAME for the record (else the system's user).`;

/** What is asked of the bot, and how its answer is shown. */
export type Asked = {
  readonly path: string;
  readonly body?: object;
  readonly json: boolean;
  lines(answer: unknown): readonly string[];
};

const lines =
  <Schema extends z.ZodType>(schema: Schema, show: (answer: z.output<Schema>) => readonly string[]) =>
  (answer: unknown): readonly string[] =>
    show(schema.parse(answer));

/** Reads the command line; undefined where it is none of `USAGE`. */
export function readCommand(args: readonly string[]): Asked | undefined {
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
    const { json, reveal, as: by = userInfo().username, ...whom } = values;
    const asked = askedBy(positionals, whom, { reveal, by });
    return asked && { ...asked, json };
  } catch {
    return undefined;
  }
}

function askedBy(
  [name = '', subject, ...rest]: readonly string[],
  whom: Readonly<Record<string, unknown>>,
  { reveal, by }: { readonly reveal: boolean; readonly by: string },
): Omit<Asked, 'json'> | undefined {
  const at = `/operations/${encodeURIComponent(subject ?? '')}`;
  const hasWhom = Object.keys(whom).length;
  if ((reveal && name !== 'show') || hasWhom !== (name === 'find' ? 1 : 0)) return undefined;
  if (name === 'list' || name === 'find') {
    if (subject !== undefined) return undefined;
    const listed = lines(listSchema, linesOfList);
    return name === 'list'
      ? { path: '/operations', lines: listed }
      : { path: '/operations/find', body: whom, lines: listed };
  }
  if (subject === undefined || rest.length !== (name === 'settle' ? 1 : 0)) return undefined;
  switch (name) {
    case 'show': {
      const query = new URLSearchParams({ reveal: String(reveal), by });
      return { path: `${at}?${query}`, lines: lines(z.union([shownSchema, settledSchema]), linesOfShown) };
    }
    case 'settle': {
      const [result = ''] = rest;
      if (result !== 'done' && result !== 'not-applied') return undefined;
      return { path: `${at}/settle`, body: { result, by }, lines: lines(filedSchema, linesOfFiled) };
    }
    case 'replay':
    case 'remove': {
      const path = `/operations/letters/${encodeURIComponent(subject)}/${name}`;
      return { path, body: { by }, lines: lines(filedSchema, linesOfFiled) };
    }
    default:
      return undefined;
  }
}

const linesOfFiled = ({ status }: z.infer<typeof filedSchema>): string[] => [
  status === 'removed' ? 'Removed.' : 'Filed: a running bot takes it up within seconds.',
];

function linesOfList({ conversation, operations, deadLetters }: List): string[] {
  const age = (at: string): string => duration(Date.now() - Date.parse(at));
  const rows = operations.map((one) => [
    ...[one.reference, one.kind, age(one.at), one.waitsFor, one.channel, one.conversation],
  ]);
  const letters = deadLetters.map((one) => [
    ...[one.id, one.reason, one.holds, age(one.at), one.channel, one.conversation],
  ]);
  return [
    ...(conversation === undefined
      ? []
      : [`In logs and in the store the conversation is ${conversation}`, '']),
    `Operations without an outcome: ${operations.length}`,
    ...table(['reference', 'kind', 'age', 'waits for', 'channel', 'conversation'], rows),
    `Dead letters: ${deadLetters.length}`,
    ...table(['id', 'reason', 'holds', 'age', 'channel', 'conversation'], letters),
  ];
}

/** The story of an operation, and what to do next. */
export function linesOfShown(about: Shown | Settled): string[] {
  if ('settled' in about) {
    const { at, by, result } = about.settled;
    return [`${at}  ${by ?? 'An operator'} settled ${about.reference} (${about.kind ?? '?'}): ${result}.`];
  }
  const { reference, kind, code, identifier, recordsFrom, knownRecords } = about;
  const rows = Object.entries({
    reference,
    kind,
    code,
    [identifier.kind]: identifier.value,
    'customer id': about.customerId,
    'called at': about.at,
    'waits for': about.waitsFor === 'bot' ? `bot, until ${about.checkedUntil} at the latest` : 'staff',
    channel: about.channel,
    conversation: about.conversation,
  });
  return [
    ...rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(14)}${value}`])),
    '',
    ...about.story.map(({ at, says }) => `${(at ?? '').padEnd(26)}${says}`),
    '',
    `Look in AntCRM for a succeeded ${kind === 'redeem' ? 'redemption' : 'accumulation'} of this code by this customer,`,
    `created since ${recordsFrom} by AntCRM's clock${knownRecords.length > 0 ? ', none of these, which were there before:' : '.'}`,
    ...knownRecords.map((record) => `  ${record}`),
    '',
    `There is one:   npm run operations -- settle ${reference} done`,
    `There is none:  npm run operations -- settle ${reference} not-applied`,
  ];
}

/** Rows as lines, columns as wide as they need, an empty line after them. An absent cell is a question mark. */
export function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string[] {
  if (rows.length === 0) return [''];
  const all = [head, ...rows].map((row) => row.map((cell) => cell ?? '?'));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return [...all.map((row) => `  ${line(row)}`.trimEnd()), ''];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** Roughly, in the largest unit of which there are two at least: `45 s`, `90 min`, `30 h`, `12 d`. */
export function duration(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms >= 2 * unit) ?? ['s', 1000];
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}

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
    if (json) console.log(JSON.stringify(answer, null, 2));
    else if (response.ok) console.log(asked.lines(answer).join('\n').trimEnd());
    else console.log(explain(problemSchema.parse(answer)).join('\n'));
    return response.ok ? 0 : 1;
  } catch {
    console.error(
      `No bot answers at ${BOT_URL}: is it running, and is that its address for operators (BOT_URL)?`,
    );
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
