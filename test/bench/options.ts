import { parseArgs } from 'node:util';

/** What to measure. Every number bounds the work: the whole run ends by itself. */
export type Options = {
  readonly stores: readonly Store[];
  readonly inFlight: readonly number[];
  readonly turns: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly repeats: number;
  readonly idleSeconds: number;
  readonly stored: readonly number[];
  readonly teams: boolean;
  readonly what: What;
  /** A directory; undefined: no profile is taken. */
  readonly profile: string | undefined;
};

export type Store = 'memory' | 'redis';

/** One bot in all respects, numbers of processes, or what traces cost. */
export type What = 'bot' | 'processes' | 'traces';

const FULL = {
  ...{ stores: 'memory,redis', 'in-flight': '1,8,32,64', turns: '6000', seconds: '10', 'warm-up': '40000' },
  ...{ repeats: '3', idle: '10', stored: '1000,1000000', teams: true },
};
const QUICK = {
  ...FULL,
  'in-flight': '1,32',
  turns: '1200',
  seconds: '1',
  'warm-up': '2500',
  repeats: '1',
  idle: '3',
  ...{ stored: '', teams: false },
};

export const USAGE = `npm run bench -- [options]
npm run bench -- processes [options]
npm run bench -- traces [options]

Closed-loop load on one bot process over loopback: so many conversations in flight, each asking its next question as soon
as the last was answered. Redis, Telegram's double and AntCRM's sandbox are processes beside it.

\`processes\`: 1, 2 and 4 bots on one Redis and on a cluster of three instead, with more in flight than one of them takes on:
turns a second, claim scripts a turn, Redis' processor time a turn. Of the options it takes --quick, --turns, --seconds,
--warm-up and --repeats.

\`traces\`: what spans cost a turn while OTEL_EXPORTER_OTLP_ENDPOINT is unset and while it is set, by turns in one process. It takes --quick, --warm-up and --repeats.

  --quick             a look in half a minute: less of everything, no million of stored conversations, no Teams
  --stores LIST       memory, redis (${FULL.stores})
  --in-flight LIST    conversations at once (${FULL['in-flight']})
  --turns N           turns of one measurement (${FULL.turns})
  --seconds N         at most so long for one measurement (${FULL.seconds})
  --warm-up N         turns before the first measurement (${FULL['warm-up']}): so many until V8 compiles no more
  --repeats N         medians of so many measurements are shown (${FULL.repeats})
  --idle N            seconds of watching a bot without work; 0: not at all (${FULL.idle})
  --stored LIST       compare with so many conversations in Redis; '': not at all (${FULL.stored})
  --teams, --no-teams compare Telegram, Teams, and what the Bot Framework SDK costs by itself (with --quick: no)
  --profile DIR       take a CPU profile of each bot under load into DIR, and list what cost most; the numbers suffer
  --help              this`;

/** Null: only help was asked for. Throws where an option is unknown or no number. */
export function readOptions(args: readonly string[]): Options | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowNegative: true,
    allowPositionals: true,
    options: {
      ...{ help: flag, quick: flag, teams: flag, profile: text },
      ...{ stores: text, 'in-flight': text, turns: text, seconds: text, 'warm-up': text },
      ...{ repeats: text, idle: text, stored: text },
    },
  });
  if (values.help) return null;
  const what = whatOf(positionals);
  const wanted = { ...(values.quick ? QUICK : FULL), ...values };
  return {
    stores: listOf(wanted.stores).map(storeOf),
    inFlight: listOf(wanted['in-flight']).map(numberOf),
    turns: numberOf(wanted.turns),
    seconds: numberOf(wanted.seconds),
    warmUp: numberOf(wanted['warm-up']),
    repeats: numberOf(wanted.repeats),
    idleSeconds: numberOf(wanted.idle),
    stored: listOf(wanted.stored).map(numberOf),
    teams: wanted.teams,
    what,
    profile: values.profile,
  };
}

function whatOf(named: readonly string[]): What {
  const [what = 'bot', ...more] = named;
  if (more.length === 0 && (what === 'bot' || what === 'processes' || what === 'traces')) return what;
  throw new Error(`"${named.join(' ')}" is nothing to measure`);
}

const listOf = (text: string): string[] => text.split(',').filter((part) => part !== '');

function numberOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`"${text}" is no number`);
  return Number(text);
}

function storeOf(text: string): Store {
  if (text !== 'memory' && text !== 'redis') throw new Error(`"${text}" is no store`);
  return text;
}
