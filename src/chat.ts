import { randomUUID } from 'node:crypto';
import { clearLine, createInterface, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { StaffReply } from './channels/staff/answer.ts';
import { createClient, type Refusal, type StaffClient } from './channels/staff/client.ts';
import { mannerSchemaOf, type RequestSchema } from './channels/staff/request.ts';
import { CHANNELS } from './channels.ts';
import { environment } from './config.ts';
import { replay } from './replay.ts';
import { readScript } from './script.ts';

const KNOWN = CHANNELS.map(({ traits }) => traits);
const mannerSchema = mannerSchemaOf(KNOWN);

/** `npm run chat`: the staff webhook from a terminal. */
export type ChatOptions = {
  readonly client: StaffClient;
  /** What every message carries. */
  readonly manner: z.infer<typeof mannerSchema>;
  /** After the input's end: how long to wait for replies that nobody asked for. */
  readonly lingerMs: number;
  readonly input: Readable;
  readonly output: Writable;
  /** A person types: show a prompt. Otherwise lines are sent one after the other, and shown. */
  readonly interactive: boolean;
};

const HELP = `npm run chat -- [options]: the bot from a terminal. It speaks Vietnamese unless told otherwise.
Type a message, or the number of a choice. /contact PHONE shares a phone number,
/contact PHONE other somebody else's; /start CODE opens a deep link; /quit ends.
Options: --help --url URL --conversation NAME --locale vi|en --as ${KNOWN.map(({ name }) => name).join('|')} --name NAME --linger SECONDS
--replay FILE has the conversation of a script again, and fails where the bot answers otherwise.`;

/** How long a message without an answer is waited for after the input's end. */
const PATIENCE_MS = 30_000;
const RECONNECT_MS = 1000;

const EXIT_USAGE = 2;

/** Chats until the input ends; resolves to the exit code: 1 if a message was refused or the bot is out of reach. */
export async function chat(options: ChatOptions): Promise<0 | 1> {
  const { client, manner, input } = options;
  const screen = createScreen(options);
  const ending = new AbortController();
  /** Messages whose answer comes as events. */
  const queued = new Map<string, PromiseWithResolvers<void>>();
  let code: 0 | 1 = 0;

  async function send(message: Message): Promise<void> {
    const id = randomUUID();
    const turn = Promise.withResolvers<void>();
    queued.set(id, turn);
    const answer = await client.send({ ...manner, ...message, id });
    if (answer.status === 'queued') return screen.say('… (the answer will follow)');
    queued.delete(id);
    if (answer.status !== 'refused') return answer.replies.forEach(screen.show);
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
        }
      } catch {}
      await sleep(RECONNECT_MS, undefined, ending).catch(() => {});
    }
  }

  const following = follow();
  try {
    for await (const line of screen.lines) {
      if (line === '/quit') break;
      await send(messageOf(line, screen.choices()));
    }
    const answers = Promise.all([...queued.values()].map(({ promise }) => promise));
    await Promise.race([answers, sleep(PATIENCE_MS, undefined, { ref: false })]);
    await sleep(options.lingerMs);
  } catch {
    code = 1;
    screen.say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  }
  input.destroy();
  ending.abort();
  await following;
  return code;
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

type Screen = {
  /** The lines typed, trimmed, without empty ones. */
  readonly lines: AsyncIterable<string>;
  say(text: string): void;
  /** Answers and events carry the same replies: each is shown once. */
  show(reply: StaffReply): void;
  /** The ids of the choices shown last, in the order of their numbers. */
  choices(): readonly string[];
};

function createScreen({ input, output, interactive }: ChatOptions): Screen {
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
    show({ seq, text, choices: offered, view }) {
      if (shown.has(seq)) return;
      shown.add(seq);
      if (offered?.length) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
      say([text, ...(offered ?? []).map(({ label }, at) => `  ${at + 1}. ${label}`)].join('\n'));
    },
    choices: () => choices,
  };
}

/** 1 where a step was answered otherwise than the script says. */
async function replayFile(client: StaffClient, file: string): Promise<0 | 1> {
  const script = await readScript(file);
  const say = (line: string) => console.log(line);
  const differing = await replay({ client, script, say });
  say(
    differing === 0
      ? 'The same as in the script.'
      : `Not as in the script: steps answered otherwise: ${differing}`,
  );
  return differing === 0 ? 0 : 1;
}

const settingsSchema = mannerSchema.extend({ linger: z.coerce.number().min(0) });

/** The options of the command line, the defaults of the environment and of `.env`, as the bot has them. */
async function main(): Promise<number> {
  const { HOST = '127.0.0.1', PORT = '3000', STAFF_TOKEN } = environment();
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: `http://${HOST === '0.0.0.0' ? '127.0.0.1' : HOST}:${PORT}` },
      conversation: { type: 'string', default: `chat-${randomUUID()}` },
      locale: { type: 'string' },
      as: { type: 'string', default: 'staff' },
      name: { type: 'string' },
      linger: { type: 'string', default: '0' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { url, replay: file, help, ...written } = values;
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
  if (file !== undefined) return replayFile(client, file);
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
