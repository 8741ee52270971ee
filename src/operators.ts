import { parseArgs } from 'node:util';
import { EXIT_CONFIG, environment, readConfig } from './config.ts';
import type { Identifier, Lookup } from './conversation/effect.ts';
import { maskCode, maskEmail, maskPhone } from './conversation/mask.ts';
import { readState } from './conversation/state.ts';
import { readIntent } from './loyalty/journal.ts';
import { toNational } from './loyalty/phone.ts';
import type { Fields, Log } from './observe.ts';
import { StoreUnavailable } from './turns/mailbox.ts';
import { createOperators, type OpenLetter, type OpenOperation, type Operators } from './turns/operators.ts';
import { connectRedis } from './turns/redis/client.ts';
import { createRedisMailbox } from './turns/redis/mailbox.ts';
import { createSeal } from './turns/sealed.ts';

/*
 * `npm run operations`: operations without an outcome and dead letters, for operators (docs/operators.md).
 * Exit codes: 0 done, 1 refused or not found or the store is out of reach, 2 wrong usage, 78 configuration.
 */

const USAGE = `npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- show REF [--reveal]            what to look for in AntCRM; --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
Each with --json for machines.`;
const EXIT_USAGE = 2;

/** What a command came to: `json` with `--json`, else `lines`. */
type Answer = { readonly code: 0 | 1; readonly json: object; readonly lines: readonly string[] };

type Tools = {
  readonly operators: Operators;
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  readonly log: Pick<Log, 'warn'>;
  nowMs(): number;
};

/** Runs one command; undefined where there is none like that. Rejects with `StoreUnavailable`. */
async function run(words: readonly string[], reveal: boolean, tools: Tools): Promise<Answer | undefined> {
  const [command, subject, result, ...rest] = words;
  if (command === 'list' && subject === undefined) return list(tools);
  if (subject === undefined || rest.length > 0) return undefined;
  const reference = subject.toUpperCase();
  if (command === 'settle' && (result === 'done' || result === 'not-applied')) {
    return filed(await tools.operators.settle(reference, result), { reference, result });
  }
  if (result !== undefined) return undefined;
  if (command === 'show') return show(reference, reveal, tools);
  if (command === 'replay') return filed(await tools.operators.replay(subject), { id: subject });
  return undefined;
}

async function list({ operators, checksMs, nowMs }: Tools): Promise<Answer> {
  const operations = (await operators.operations()).map((one) => summary(one, checksMs, nowMs()));
  const deadLetters = (await operators.letters()).map(summaryOfLetter);
  const age = (at: string): string => duration(nowMs() - Date.parse(at));
  return {
    code: 0,
    json: { operations, deadLetters },
    lines: [
      `Operations without an outcome: ${operations.length}`,
      ...table(
        ['reference', 'kind', 'age', 'waits for', 'channel', 'conversation'],
        operations.map(({ reference, kind, at, waitsFor, channel, conversation }) => [
          ...[reference, kind, age(at), waitsFor, channel, conversation],
        ]),
      ),
      `Dead letters: ${deadLetters.length}`,
      ...table(
        ['id', 'reason', 'holds', 'age', 'channel', 'conversation'],
        deadLetters.map(({ id, reason, holds, at, channel, conversation }) => [
          ...[id, reason, holds, age(at), channel, conversation],
        ]),
      ),
    ],
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** What may be seen without asking for it. `waitsFor`: the bot's checks are over, or it still looks by itself. */
function summary(operation: OpenOperation, checksMs: readonly number[], nowMs: number) {
  const { reference, conversation, atMs, intent } = operation;
  const lookup = lookupOf(operation);
  const checkedUntilMs = (lookup?.deadlineMs ?? atMs) + (checksMs.at(-1) ?? 0);
  return {
    reference,
    kind: lookup?.kind ?? null,
    at: iso(atMs),
    waitsFor: nowMs < checkedUntilMs ? 'bot' : 'staff',
    checkedUntil: iso(checkedUntilMs),
    channel: intent?.origin.channel ?? null,
    conversation,
  };
}

function summaryOfLetter({ id, conversation, atMs, reason, holds }: OpenLetter) {
  const message = holds === 'state' ? null : holds;
  const what = holds === 'state' ? 'state' : (holds?.message.kind ?? null);
  return { id, reason, holds: what, at: iso(atMs), channel: message?.channel ?? null, conversation };
}

/** Null where the intent cannot be opened or read. */
function lookupOf({ intent }: OpenOperation): Lookup | null {
  try {
    return intent && readIntent(intent.body).lookup;
  } catch {
    return null;
  }
}

async function show(reference: string, reveal: boolean, tools: Tools): Promise<Answer> {
  const { operators, checksMs, log, nowMs } = tools;
  const operation = (await operators.operations()).find((one) => one.reference === reference);
  if (operation === undefined) return filed('unknown', { reference });
  const lookup = lookupOf(operation);
  if (lookup === null) return filed('unreadable', { reference });
  if (reveal) {
    const { conversation } = operation;
    log.warn({ operation: reference, conversation, user: process.env.USER }, 'an identifier was revealed');
  }
  const json = {
    ...summary(operation, checksMs, nowMs()),
    code: reveal || lookup.kind === 'redeem' ? lookup.code : maskCode(lookup.code),
    identifier: { kind: lookup.by.kind, value: identifier(lookup.by, reveal) },
    customerId: /^customer:(.*)$/.exec(lookup.customer ?? '')?.[1] ?? null,
    recordsFrom: iso(lookup.fromMs),
    knownRecords: lookup.baseline,
  };
  const { kind, code, identifier: by, customerId, at, recordsFrom, knownRecords } = json;
  const where = kind === 'redeem' ? `a redemption of ${code}` : `an accumulation of ${code}`;
  const lines = [
    ...Object.entries({ ...json, identifier: `${by.kind} ${by.value}`, knownRecords: knownRecords.length })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name.padEnd(14)}${value}`),
    '',
    `Look in AntCRM for ${where} by ${customerId ? `customer ${customerId}` : `${by.kind} ${by.value}`},`,
    `created since ${recordsFrom} (the call was made at ${at}) and succeeded${knownRecords.length > 0 ? ', other than:' : ':'}`,
    ...knownRecords.map((record) => `  ${record}`),
    `  there is one:   npm run operations -- settle ${reference} done`,
    `  there is none:  npm run operations -- settle ${reference} not-applied`,
  ];
  return { code: 0, json, lines };
}

function identifier({ kind, value }: Identifier, reveal: boolean): string {
  if (kind === 'phone') return reveal ? toNational(value) : maskPhone(value);
  return reveal ? value : maskEmail(value);
}

const REFUSALS = {
  unknown: 'There is none of that name: it has been settled, or never was. See npm run operations -- list',
  unreadable:
    'What is stored cannot be read, or is no message. If it is from before a change of keys: STATE_KEY_PREVIOUS',
  full: 'Too many messages wait in that conversation: nothing was filed, try again in a minute',
} as const;

function filed(result: 'filed' | keyof typeof REFUSALS, about: object): Answer {
  if (result === 'filed') {
    const lines = ['Filed: a running bot takes it up within seconds.'];
    return { code: 0, json: { ...about, status: result }, lines };
  }
  return { code: 1, json: { ...about, status: result, detail: REFUSALS[result] }, lines: [REFUSALS[result]] };
}

/** Columns as wide as they need; nothing for no rows. */
function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string[] {
  if (rows.length === 0) return [''];
  const all = [head, ...rows].map((row) => row.map((cell) => cell ?? '?'));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return [...all.map((row) => `  ${line(row)}`.trimEnd()), ''];
}

/** Roughly, in the largest unit that counts at least two: `45 s`, `90 min`, `30 h`, `12 d`. */
function duration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const;
  const [name, size] = units.find(([, unit]) => ms >= 2 * unit) ?? (['s', 1000] as const);
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}

/** Standard output is the answer's alone: what is logged goes to standard error, a line of JSON each. */
function errorLog(): Log {
  const write = (level: number) => (fields: Readonly<Record<string, unknown>>, msg: string) =>
    console.error(JSON.stringify({ level, time: Date.now(), ...fields, msg }));
  return {
    debug: () => {},
    info: write(30),
    warn: write(40),
    error: ({ err: _, ...fields }: Fields, msg) => write(50)(fields, msg),
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, reveal: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const read = readConfig(environment());
  if (!read.ok) {
    for (const fault of read.faults) console.error(fault);
    return EXIT_CONFIG;
  }
  const { redis, keys, settings } = read.config;
  if (redis === undefined) {
    console.error(
      "REDIS_URL: got nothing, wants the bot's Redis: its memory store is seen by no other process",
    );
    return EXIT_CONFIG;
  }
  const log = errorLog();
  const client = await connectRedis(redis.urls.join(','), log);
  const mailbox = createRedisMailbox(client);
  const seal = createSeal({ key: keys.state, previous: keys.statePrevious, hashKey: keys.hash });
  const operators = createOperators({ mailbox, seal, readState });
  try {
    const tools = { operators, checksMs: settings.operationChecksMs, log, nowMs: Date.now };
    const answer = await run(positionals, values.reveal, tools);
    if (answer === undefined) throw new Error('no such command');
    console.log(values.json ? JSON.stringify(answer.json, null, 2) : answer.lines.join('\n').trimEnd());
    return answer.code;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    console.error(`The store did not answer: ${error.message}`);
    return 1;
  } finally {
    await mailbox.close();
    await client.close();
  }
}

if (import.meta.main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
  }
}
