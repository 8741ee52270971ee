import { CHANNELS } from './channels.ts';
import { EXIT_CONFIG, environment, readConfig } from './config.ts';
import { createConversation } from './conversation/conversation.ts';
import { flows } from './conversation/flows/index.ts';
import { WORDING } from './i18n.ts';
import type { Log } from './observe.ts';
import { type Answer, answer } from './operators/answers.ts';
import { readCommand, usageOf } from './operators/command.ts';
import { createOperators } from './store/operators.ts';
import { connectRedis } from './store/redis/client.ts';
import { LayoutRefused } from './store/redis/layout.ts';
import { createRedisStore } from './store/redis/store.ts';
import { createSeal } from './store/seal.ts';
import { StoreUnavailable } from './store/unavailable.ts';

const EXIT_USAGE = 2;

/** So it runs wherever the store's keys are; in production it misses them as the bot does. */
const WANTED = [
  'NODE_ENV',
  'REDIS_URL',
  'STATE_KEY',
  'STATE_KEY_PREVIOUS',
  'HASH_KEY',
  'OPERATION_CHECKS',
] as const;

/**
 * `npm run operations` (docs/operators.md): works on the store of the environment's bot, whether or not one runs.
 * Resolves to the exit code: 0 done, 1 refused or no answer from the store, 2 wrong usage, 78 wrong configuration.
 */
async function main(args: readonly string[]): Promise<number> {
  const channels = CHANNELS.map(({ traits }) => traits);
  const names = channels.map(({ name }) => name);
  if (args.includes('--help')) {
    console.log(usageOf(names));
    return 0;
  }
  const wanted = readCommand(args, names);
  if (wanted === undefined) {
    console.error(usageOf(names));
    return EXIT_USAGE;
  }
  const read = readConfig(environment(), WANTED);
  if (!read.ok) {
    console.error([...read.faults, ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { redis, keys, settings } = read.config;
  if (redis === undefined) {
    console.error([NO_REDIS, ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }

  const client = await connectRedis(redis.address, errorLog).catch((error: unknown) => {
    if (error instanceof LayoutRefused) console.error(error.message);
    else throw error;
  });
  if (client === undefined) return EXIT_CONFIG;
  const store = createRedisStore(client);
  const { readState } = createConversation({ flows, wording: WORDING });
  const seal = createSeal({ key: keys.state, previous: keys.statePrevious, hashKey: keys.hash });
  try {
    const answered = await answer(wanted.command, {
      operators: createOperators({ store, seal, readState }),
      channels,
      checksMs: settings.operationChecksMs,
      log: errorLog,
      who: { user: process.env.USER },
      nowMs: Date.now,
    });
    console.log(written(answered, wanted.json));
    return answered.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    console.error(`The store did not answer. ${error.message}`);
    return 1;
  } finally {
    await store.close();
    await client.close();
  }
}

function written(answered: Answer, asJson: boolean): string {
  if (answered.ok) {
    return asJson ? JSON.stringify(answered.json, null, 2) : answered.lines.join('\n').trimEnd();
  }
  const { about, refusal: status, detail } = answered;
  return asJson ? JSON.stringify({ ...about, status, detail }, null, 2) : detail;
}

const NO_REDIS =
  "REDIS_URL: got nothing, wants the bot's Redis: no other process can see its memory store. A bot with OPERATOR_TOKEN answers over HTTP (docs/operators.md)";

/** One line of JSON each, as the bot logs, on standard error: standard output is the answer's alone. */
const errorLog: Log = {
  debug: () => {},
  info: (fields, message) => logLine(30, fields, message),
  warn: (fields, message) => logLine(40, fields, message),
  error: ({ err: _, ...fields }, message) => logLine(50, fields, message),
};

function logLine(level: number, fields: Readonly<Record<string, unknown>>, msg: string): void {
  console.error(JSON.stringify({ level, time: Date.now(), ...fields, msg }));
}

process.exitCode = await main(process.argv.slice(2));
