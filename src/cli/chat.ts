import { randomUUID } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type StaffClient } from '../channels/staff/client.ts';
import { type RequestSchema, type StaffEvent, stableFieldsSchemaOf } from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';
import { explain } from '../http/problem.ts';

/* `npm run chat`: the staff webhook from a terminal. Exit codes: 0, 1 refused or no bot, 2 wrong usage. */

const traits = CHANNELS.map((channel) => channel.traits);
const optionsSchema = stableFieldsSchemaOf(traits).extend({ linger: z.coerce.number().min(0) });
const HELP = `npm run chat -- [options]: the bot from a terminal. It speaks Vietnamese unless told otherwise.
Type a message, or the number of a choice. /contact PHONE shares a phone number,
/contact PHONE other somebody else's; /start CODE opens a deep link; /quit ends.
Options: --help --url URL --conversation NAME --locale vi|en --name NAME --linger SECONDS
         --as ${traits.map(({ name }) => name).join('|')}`;
/** How long an answer is waited for after the last line. */
const PATIENCE_MS = 30_000;
const RECONNECT_MS = 1000;
const EXIT_USAGE = 2;

/** `manner` goes with every message. `lingerMs`: the wait at the end for what comes unasked. */
export type ChatOptions = {
  readonly client: StaffClient;
  readonly input: Readable;
  readonly output: Writable;
  readonly lingerMs: number;
  readonly manner: Omit<z.output<typeof optionsSchema>, 'linger'>;
  /** A person types: shows the help and a prompt. Otherwise each line is shown and answered in turn. */
  readonly interactive: boolean;
};

/** Chats until the input ends. Resolves to the exit code: 1 after a refusal or without a bot. */
export async function chat(options: ChatOptions): Promise<0 | 1> {
  const terminal = new Terminal(options);
  const ending = new AbortController();
  const following = terminal.follow(0, ending.signal);
  await terminal.readLines().catch(() => {
    terminal.code = 1;
    terminal.say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  });
  options.input.destroy();
  ending.abort();
  await following;
  return terminal.code;
}

class Terminal {
  code: 0 | 1 = 0;
  readonly #options: ChatOptions;
  readonly #lines: Interface;
  readonly #shownSeqs = new Set<number>();
  readonly #unanswered = new Set<string>();
  #choices: readonly string[] = [];

  constructor(options: ChatOptions) {
    const { input, output, interactive } = options;
    this.#options = options;
    this.#lines = createInterface({ input, terminal: interactive, ...(interactive && { output }) });
  }

  say(text: string): void {
    const { output, interactive } = this.#options;
    output.write(interactive ? `\r\x1b[K${text}\n` : `${text}\n`);
    if (interactive) this.#lines.prompt(true);
  }

  async readLines(): Promise<void> {
    const { interactive, lingerMs } = this.#options;
    if (interactive) this.say(HELP);
    for await (const typed of this.#lines) {
      const line = typed.trim();
      if (line === '/quit') return;
      if (line && !interactive) this.say(`> ${line}`);
      if (line) await this.#send(line);
      if (interactive) this.#lines.prompt();
    }
    const endMs = performance.now() + PATIENCE_MS;
    while (this.#unanswered.size > 0 && performance.now() < endMs) await sleep(20);
    await sleep(lingerMs);
  }

  async #send(line: string): Promise<void> {
    const { client, manner } = this.#options;
    const id = randomUUID();
    this.#unanswered.add(id);
    const answer = await client.send({ ...manner, ...toMessage(line, this.#choices), id });
    if (answer.status === 'queued') return this.say('… (the answer will follow)');
    this.#unanswered.delete(id);
    if (answer.status !== 'refused') {
      for (const reply of answer.replies) this.#show(reply);
      return;
    }
    this.code = 1;
    const { title, status } = answer.problem;
    const hint = status === 401 ? ['Set STAFF_TOKEN as the bot has it.'] : [];
    this.say([...new Set([title, ...explain(answer.problem), ...hint])].join('\n'));
  }

  /** Answers and events carry the same replies: each is shown once. */
  #show(reply: Pick<StaffEvent, 'seq' | 'text' | 'choices' | 'view'> & Partial<StaffEvent>): void {
    const { seq, text, choices = [], view, turn, last } = reply;
    if (this.#shownSeqs.has(seq)) return;
    this.#shownSeqs.add(seq);
    if (choices.length > 0) this.#choices = choices.map(({ id }) => (view ? `${id}~${view}` : id));
    this.say([text, ...choices.map(({ label }, index) => `  ${index + 1}. ${label}`)].join('\n'));
    if (last && turn !== undefined) this.#unanswered.delete(turn);
  }

  async follow(afterSeq: number, signal: AbortSignal): Promise<void> {
    const { client, manner } = this.#options;
    let lastSeq = afterSeq;
    try {
      for await (const event of client.events(manner.conversation, afterSeq, signal)) {
        lastSeq = event.seq;
        this.#show(event);
      }
    } catch {}
    await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) return this.follow(lastSeq, signal);
  }
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
      locale: text,
      name: text,
      as: { ...text, default: 'staff' },
      linger: { ...text, default: '0' },
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
  const { stdin: input, stdout: output } = process;
  const interactive = input.isTTY && output.isTTY;
  const client = createClient(url, STAFF_TOKEN);
  return chat({ client, manner, input, output, interactive, lingerMs: linger * 1000 });
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return EXIT_USAGE;
  });
}
