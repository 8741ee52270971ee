import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type StaffClient } from '../channels/staff/client.ts';
import { mannerSchemaOf, type RequestSchema, type StaffEvent } from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';
import { explain } from '../http/problem.ts';

const CHANNEL_TRAITS = CHANNELS.map(({ traits }) => traits);
const optionsSchema = mannerSchemaOf(CHANNEL_TRAITS).extend({ linger: z.coerce.number().min(0) });
const HELP = `npm run chat -- [options]: the bot from a terminal. It speaks Vietnamese unless told otherwise.
Type a message, or the number of a choice. /contact PHONE shares a phone number,
/contact PHONE other somebody else's; /start CODE opens a deep link; /quit ends.
Options: --help --url URL --conversation NAME --locale vi|en --as ${CHANNEL_TRAITS.map(({ name }) => name).join('|')} --name NAME --linger SECONDS`;
const PATIENCE_MS = 30_000;
const RECONNECT_MS = 1000;
const EXIT_USAGE = 2;

/** `manner`: what every message carries. `lingerMs`: the wait at the end for what comes unasked. */
export type ChatOptions = Readonly<{
  input: Readable;
  output: Writable;
  client: StaffClient;
  lingerMs: number;
}> & {
  readonly manner: Omit<z.output<typeof optionsSchema>, 'linger'>;
  /** A person types: show the help and a prompt. Otherwise lines are read one after the other, and shown. */
  readonly interactive: boolean;
};

/** Chats until the input ends. Resolves to the exit code: 1 after a refusal or without a bot. */
export async function chat({ client, manner, input, output, ...options }: ChatOptions): Promise<0 | 1> {
  const { interactive, lingerMs } = options;
  const terminal = createInterface({ input, terminal: interactive, ...(interactive && { output }) });
  const ending = new AbortController();
  const shownSeqs = new Set<number>();
  const unanswered = new Set<string>();
  let choices: readonly string[] = [];
  let code: 0 | 1 = 0;

  function say(text: string): void {
    output.write(interactive ? `\r\x1b[K${text}\n` : `${text}\n`);
    if (interactive) terminal.prompt(true);
  }
  /** Answers and events carry the same replies: each is shown once. */
  function show(reply: Pick<StaffEvent, 'seq' | 'text' | 'choices' | 'view'> & Partial<StaffEvent>): void {
    const { seq, text, choices: offered = [], view, turn, last } = reply;
    if (shownSeqs.has(seq)) return;
    shownSeqs.add(seq);
    if (offered.length > 0) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
    say([text, ...offered.map(({ label }, index) => `  ${index + 1}. ${label}`)].join('\n'));
    if (last && turn !== undefined) unanswered.delete(turn);
  }
  async function send(line: string): Promise<void> {
    const id = randomUUID();
    unanswered.add(id);
    const answer = await client.send({ ...manner, ...toMessage(line, choices), id });
    if (answer.status === 'queued') return say('… (the answer will follow)');
    unanswered.delete(id);
    if (answer.status !== 'refused') return answer.replies.forEach(show);
    code = 1;
    const { title, status } = answer.problem;
    const hint = status === 401 ? ['Set STAFF_TOKEN as the bot has it.'] : [];
    say([...new Set([title, ...explain(answer.problem), ...hint])].join('\n'));
  }
  async function follow(after = 0): Promise<void> {
    let lastSeq = after;
    try {
      for await (const event of client.events(manner.conversation, after, ending.signal)) {
        lastSeq = event.seq;
        show(event);
      }
    } catch {}
    await sleep(RECONNECT_MS, undefined, ending).catch(() => {});
    if (!ending.signal.aborted) return follow(lastSeq);
  }
  async function readLines(): Promise<void> {
    for await (const typed of terminal) {
      const line = typed.trim();
      if (line === '/quit') return;
      if (line && !interactive) say(`> ${line}`);
      if (line) await send(line);
      if (interactive) terminal.prompt();
    }
    const endMs = performance.now() + PATIENCE_MS;
    while (unanswered.size > 0 && performance.now() < endMs) await sleep(20);
    await sleep(lingerMs);
  }

  const following = follow();
  if (interactive) say(HELP);
  await readLines().catch(() => {
    code = 1;
    say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  });
  input.destroy();
  ending.abort();
  await following;
  return code;
}

function toMessage(
  line: string,
  choices: readonly string[],
): Pick<z.input<RequestSchema>, 'text' | 'choice' | 'contact' | 'start'> {
  const [command, argument, whose] = line.split(/\s+/);
  if (command === '/contact' && argument) return { contact: { phone: argument, own: whose !== 'other' } };
  if (command === '/start') return { start: argument ?? '' };
  const choice = /^\d{1,2}$/.test(line) ? choices[Number(line) - 1] : undefined;
  return choice === undefined ? { text: line } : { choice };
}

async function main(): Promise<number> {
  const { HOST = '', PORT = '3000', ADMIN_PORT = PORT, STAFF_TOKEN } = environment();
  const host = /^(|0\.0\.0\.0|::)$/.test(HOST) ? 'localhost' : HOST.includes(':') ? `[${HOST}]` : HOST;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ locale: text, name: text, as: { ...text, default: 'staff' }, linger: { ...text, default: '0' } },
      url: { ...text, default: `http://${host}:${ADMIN_PORT}` },
      conversation: { ...text, default: `chat-${randomUUID()}` },
      help: { type: 'boolean', default: false },
    },
  });
  const { url, help, ...written } = values;
  const options = optionsSchema.safeParse(written);
  if (help) console.log(HELP);
  for (const { path, message } of options.error?.issues ?? [])
    console.error(`--${path.join('.')}: ${message}`);
  if (help || !options.success) return help ? 0 : EXIT_USAGE;
  const { linger, ...manner } = options.data;
  const [input, output] = [process.stdin, process.stdout];
  const interactive = input.isTTY && output.isTTY;
  return chat({
    client: createClient(url, STAFF_TOKEN),
    manner,
    input,
    output,
    interactive,
    lingerMs: linger * 1000,
  });
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return EXIT_USAGE;
  });
}
