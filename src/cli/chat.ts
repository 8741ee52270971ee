import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { clearLine, createInterface, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type StaffClient } from '../channels/staff/client.ts';
import {
  mannerSchemaOf,
  type RequestSchema,
  type StaffEvent,
  type StaffReply,
} from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';
import { explain } from '../http/problem.ts';

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
const RECONNECT_MS = 1000;
const EXIT_USAGE = 2;

/** Chats until the input ends; resolves to the exit code: 1 if a message was refused or the bot is out of reach. */
export async function chat(options: ChatOptions): Promise<0 | 1> {
  const { client, manner, input, output, interactive, lingerMs } = options;
  const terminal = createInterface({ input, terminal: interactive, ...(interactive && { output }) });
  const ending = new AbortController();
  const shown = new Set<number>();
  /** Messages without an answer so far. */
  const waiting = new Set<string>();
  /** The ids of the choices shown last, in the order of their numbers. */
  let choices: readonly string[] = [];
  let code: 0 | 1 = 0;

  /** Writes above the line being typed. */
  function say(text: string): void {
    if (interactive) {
      cursorTo(output, 0);
      clearLine(output, 0);
    }
    output.write(`${text}\n`);
    if (interactive) terminal.prompt(true);
  }

  /** Shows a reply, once: answers and events carry the same ones. */
  function show({ seq, text, choices: offered = [], view, turn, last }: Shown): void {
    if (shown.has(seq)) return;
    shown.add(seq);
    if (offered.length > 0) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
    say([text, ...offered.map(({ label }, at) => `  ${at + 1}. ${label}`)].join('\n'));
    if (last && turn !== undefined) waiting.delete(turn);
  }

  async function send(message: Message): Promise<void> {
    const id = randomUUID();
    waiting.add(id);
    const answer = await client.send({ ...manner, ...message, id });
    if (answer.status === 'queued') return say('… (the answer will follow)');
    waiting.delete(id);
    if (answer.status !== 'refused') return answer.replies.forEach(show);
    code = 1;
    const { title, status } = answer.problem;
    const token = status === 401 ? ['Set STAFF_TOKEN as the bot has it.'] : [];
    say([...new Set([title, ...explain(answer.problem), ...token])].join('\n'));
  }

  /** Shows what comes unasked. What a cut connection missed comes with the next one. */
  async function follow(): Promise<void> {
    let after = 0;
    while (!ending.signal.aborted) {
      try {
        for await (const event of client.events(manner.conversation, after, ending.signal)) {
          after = event.seq;
          show(event);
        }
      } catch {}
      await sleep(RECONNECT_MS, undefined, ending).catch(() => {});
    }
  }

  const following = follow();
  if (interactive) say(HELP);
  try {
    let hasQuit = false;
    for await (const typed of terminal) {
      const line = typed.trim();
      hasQuit = line === '/quit';
      if (hasQuit) break;
      if (line && !interactive) say(`> ${line}`);
      if (line) await send(messageOf(line, choices));
      if (interactive) terminal.prompt();
    }
    const endMs = performance.now() + PATIENCE_MS;
    while (!hasQuit && waiting.size > 0 && performance.now() < endMs) await sleep(20);
    if (!hasQuit) await sleep(lingerMs);
  } catch {
    code = 1;
    say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  }
  input.destroy();
  ending.abort();
  await following;
  return code;
}

/** A reply, and what an event tells of its turn. */
type Shown = StaffReply & Partial<Pick<StaffEvent, 'turn' | 'last'>>;

type Message = Pick<z.input<RequestSchema>, 'text' | 'choice' | 'contact' | 'start'>;

/** What a typed line means, given the ids of the choices on the screen. */
function messageOf(line: string, choices: readonly string[]): Message {
  const [command, argument, whose] = line.split(/\s+/);
  if (command === '/contact' && argument) return { contact: { phone: argument, own: whose !== 'other' } };
  if (command === '/start') return { start: argument ?? '' };
  const choice = /^\d{1,2}$/.test(line) ? choices[Number(line) - 1] : undefined;
  return choice === undefined ? { text: line } : { choice };
}

const settingsSchema = mannerSchema.extend({ linger: z.coerce.number().min(0) });

/** The options of the command line, the defaults of the environment and of `.env`, as the bot has them. */
async function main(): Promise<number> {
  const { HOST = '127.0.0.1', PORT = '3000', ADMIN_PORT = PORT, STAFF_TOKEN } = environment();
  const here =
    new Map([
      ['0.0.0.0', '127.0.0.1'],
      ['::', '::1'],
    ]).get(HOST) ?? HOST;
  const name = isIPv6(here) ? `[${here}]` : here;
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: `http://${name}:${ADMIN_PORT}` },
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
