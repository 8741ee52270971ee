import { randomUUID } from 'node:crypto';
import { clearLine, createInterface, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type Refusal, type StaffClient } from '../channels/staff/client.ts';
import {
  mannerSchemaOf,
  type RequestSchema,
  type StaffEvent,
  type StaffReply,
} from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';

const KNOWN = CHANNELS.map(({ traits }) => traits);
const mannerSchema = mannerSchemaOf(KNOWN);

/** `npm run chat`: the staff webhook from a terminal. */
export type ChatOptions = {
  readonly input: Readable;
  readonly output: Writable;
  /** A person types: show the help and a prompt. Otherwise lines are read one after the other, and shown. */
  readonly interactive: boolean;
  readonly client: StaffClient;
  /** What every message carries. */
  readonly manner: z.infer<typeof mannerSchema>;
  /** After the input's end: how long to wait for replies that nobody asked for. */
  readonly lingerMs: number;
};

const HELP = `npm run chat -- [options]: the bot from a terminal. It speaks Vietnamese unless told otherwise.
Type a message, or the number of a choice. /contact PHONE shares a phone number,
/contact PHONE other somebody else's; /start CODE opens a deep link; /quit ends.
Options: --help --url URL --conversation NAME --locale vi|en --as ${KNOWN.map(({ name }) => name).join('|')} --name NAME --linger SECONDS`;

/** How long a message without an answer is waited for after the input's end. */
const PATIENCE_MS = 30_000;
/**
 * The same for a result that the bot is still finding out: with the usual `OPERATION_CHECKS` it comes within six minutes.
 */
const RESULT_PATIENCE_MS = 7 * 60_000;
const RECONNECT_MS = 1000;

const EXIT_USAGE = 2;

/** Chats until the input ends; resolves to the exit code: 1 if a message was refused or the bot is out of reach. */
export async function chat(options: ChatOptions): Promise<0 | 1> {
  const { client, manner, input } = options;
  const screen = createScreen(options);
  const ending = new AbortController();
  /** Messages whose answer comes as events. */
  const queued = new Map<string, PromiseWithResolvers<void>>();
  /** As of the last turn seen: whether an operation has no outcome yet, whose result comes unasked. */
  let last = { seq: 0, isChecking: false };
  let settled = Promise.withResolvers<void>();
  let code: 0 | 1 = 0;

  async function send(message: Message): Promise<void> {
    const id = randomUUID();
    const turn = Promise.withResolvers<void>();
    queued.set(id, turn);
    const answer = await client.send({ ...manner, ...message, id, trace: true });
    if (answer.status === 'queued') return screen.say('… (the answer will follow)');
    queued.delete(id);
    if (answer.status !== 'refused') {
      answer.replies.forEach(screen.show);
      return noteEnd(answer.replies.at(-1)?.seq ?? 0, answer.trace);
    }
    code = 1;
    screen.say(explain(answer.problem));
  }

  /** Shows what comes unasked. What a cut connection missed comes with the next one. */
  async function follow(): Promise<void> {
    let after = 0;
    while (!ending.signal.aborted) {
      try {
        for await (const event of client.events(manner.conversation, after, ending.signal)) {
          after = event.seq;
          screen.show(event);
          if (event.last && event.turn) queued.get(event.turn)?.resolve();
          noteEnd(event.seq, event.trace);
        }
      } catch {}
      await sleep(RECONNECT_MS, undefined, ending).catch(() => {});
    }
  }

  /** A turn ended; answers and events tell of the same ones. */
  function noteEnd(seq: number, trace: StaffEvent['trace']): void {
    if (seq <= last.seq || !trace) return;
    last = { seq, isChecking: trace.after.operations.some(({ status }) => status === 'checking') };
    if (last.isChecking) return;
    settled.resolve();
    settled = Promise.withResolvers();
  }

  /** After the input's end: what is still to come. */
  async function waitForRest(): Promise<void> {
    const answers = [...queued.values()].map(({ promise }) => promise);
    await Promise.race([Promise.all(answers), sleep(PATIENCE_MS, undefined, { ref: false })]);
    await sleep(options.lingerMs);
    if (!last.isChecking) return;
    screen.say('… (the bot is finding out the result; Ctrl+C ends the waiting)');
    await Promise.race([settled.promise, sleep(RESULT_PATIENCE_MS, undefined, { ref: false })]);
  }

  const following = follow();
  try {
    let hasQuit = false;
    for await (const line of screen.lines) {
      hasQuit = line === '/quit';
      if (hasQuit) break;
      await send(messageOf(line, screen.choices()));
    }
    if (!hasQuit) await waitForRest();
  } catch {
    code = 1;
    screen.say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  }
  input.destroy();
  ending.abort();
  await following;
  return code;
}

/** The terminal: lines come in, trimmed and without empty ones; replies, each once though answers and events carry the same. */
function createScreen({ input, output, interactive }: Pick<ChatOptions, 'input' | 'output' | 'interactive'>) {
  const terminal = createInterface({ input, terminal: interactive, ...(interactive && { output }) });
  const shown = new Set<number>();
  let choices: readonly string[] = [];

  /** Writes above the line being typed. */
  function say(text: string): void {
    if (interactive) {
      cursorTo(output, 0);
      clearLine(output, 0);
    }
    output.write(`${text}\n`);
    if (interactive) terminal.prompt(true);
  }

  async function* lines(): AsyncGenerator<string> {
    if (interactive) say(HELP);
    for await (const line of terminal) {
      if (line.trim() && !interactive) say(`> ${line.trim()}`);
      if (line.trim()) yield line.trim();
      if (interactive) terminal.prompt();
    }
  }

  return {
    lines: lines(),
    say,
    show({ seq, text, choices: offered, view }: StaffReply): void {
      if (shown.has(seq)) return;
      shown.add(seq);
      if (offered?.length) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
      say([text, ...(offered ?? []).map(({ label }, at) => `  ${at + 1}. ${label}`)].join('\n'));
    },
    /** The ids of the choices shown last, in the order of their numbers. */
    choices: () => choices,
  };
}

type Message = Pick<z.input<RequestSchema>, 'text' | 'choice' | 'contact' | 'start'>;

/** What a typed line means, given the ids of the choices on the screen. */
function messageOf(line: string, choices: readonly string[]): Message {
  const [command, argument, whose] = line.split(/\s+/);
  if (command === '/contact' && argument) return { contact: { phone: argument, own: whose !== 'other' } };
  if (command === '/start') return { start: argument ?? '' };
  const choice = /^\d{1,2}$/.test(line) ? choices[Number(line) - 1] : undefined;
  return choice === undefined ? { text: line } : { choice };
}

function explain({ title, detail, faults = [] }: Refusal['problem']): string {
  const hint = title === 'Unauthorized' ? ['Set STAFF_TOKEN as the bot has it.'] : [];
  return [
    `${title}: ${detail ?? ''}`,
    ...faults.map(({ where, what }) => `  ${where}: ${what}`),
    ...hint,
  ].join('\n');
}

const settingsSchema = mannerSchema.extend({ linger: z.coerce.number().min(0) });

/** The options of the command line, the defaults of the environment and of `.env`, as the bot has them. */
async function main(): Promise<number> {
  const { HOST = '127.0.0.1', PORT = '3000', ADMIN_PORT = PORT, STAFF_TOKEN } = environment();
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: `http://${HOST === '0.0.0.0' ? '127.0.0.1' : HOST}:${ADMIN_PORT}` },
      conversation: { type: 'string', default: `chat-${randomUUID()}` },
      locale: { type: 'string' },
      as: { type: 'string', default: 'staff' },
      name: { type: 'string' },
      linger: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const { url, help, ...written } = values;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const settings = settingsSchema.safeParse(written);
  if (!settings.success) {
    for (const { path, message } of settings.error.issues) console.error(`--${path.join('.')}: ${message}`);
    return EXIT_USAGE;
  }
  const { linger, ...manner } = settings.data;
  const client = createClient(url, STAFF_TOKEN);
  return chat({
    client,
    manner,
    lingerMs: linger * 1000,
    input: process.stdin,
    output: process.stdout,
    interactive: process.stdin.isTTY && process.stdout.isTTY,
  });
}

if (import.meta.main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = EXIT_USAGE;
  }
}
