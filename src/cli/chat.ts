import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type StaffClient } from '../channels/staff/client.ts';
import { requestSchemaOf, type StaffEvent } from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';
import { explain } from '../http/problem.ts';

/* `npm run chat`: the staff webhook from a terminal. Exit codes: 0, 1 refused or no bot, 2 wrong usage. */

const traits = CHANNELS.map((channel) => channel.traits);
const requestSchema = requestSchemaOf(traits);
const HELP = `npm run chat -- [options]: the bot from a terminal. Type a message, or the number of a choice.
/contact PHONE shares a phone number; /start CODE opens a deep link.
Options: --locale vi|en --as ${traits.map(({ name }) => name).join('|')} --conversation NAME --url URL`;
const RECONNECT_MS = 1000;

export type ChatOptions = {
  readonly client: StaffClient;
  readonly input: Readable;
  readonly output: Writable;
  /** The fields of a request that go with every message. */
  readonly manner: Readonly<Record<string, unknown>> & { readonly conversation: string };
};

/** Chats until the input ends. Resolves to the exit code: 1 after a refusal or without a bot. */
export async function chat({ client, input, output, manner }: ChatOptions): Promise<0 | 1> {
  const lines = createInterface({ input });
  const ending = new AbortController();
  let code: 0 | 1 = 0;
  const shownSeqs = new Set<number>();
  let choices: readonly string[] = [];
  const say = (...texts: readonly string[]): void => void output.write(`${texts.join('\n')}\n`);

  /** Answers and events carry the same replies: each is shown once. */
  function show({ seq, text, choices: offered = [], view }: Pick<StaffEvent, ShownField>): void {
    if (shownSeqs.has(seq)) return;
    shownSeqs.add(seq);
    if (offered.length > 0) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
    say(text, ...offered.map(({ label }, index) => `  ${index + 1}. ${label}`));
  }

  async function send(line: string): Promise<void> {
    const { data, error } = requestSchema.safeParse({ ...manner, ...toMessage(line, choices) });
    const answer = data && (await client.send(data));
    if (answer?.status === 'queued') say('… (the answer will follow)');
    else if (answer && answer.status !== 'refused') for (const reply of answer.replies) show(reply);
    else {
      code = 1;
      say(...(answer ? explain(answer.problem) : [z.prettifyError(error ?? new z.ZodError([]))]));
    }
  }

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        const lastSeq = Math.max(0, ...shownSeqs);
        for await (const event of client.events(manner.conversation, lastSeq, ending.signal)) show(event);
      } catch {}
      await sleep(RECONNECT_MS, undefined, ending).catch(() => {});
    }
  }

  const following = follow();
  try {
    for await (const line of lines) if (line.trim()) await send(line.trim());
  } catch {
    code = 1;
    say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  }
  input.destroy();
  ending.abort();
  await following;
  return code;
}

type ShownField = 'seq' | 'text' | 'choices' | 'view';

/** The message of a typed line, as a part of a request. */
function toMessage(line: string, choices: readonly string[]): object {
  const [command, argument = ''] = line.split(/\s+/);
  if (command === '/contact') return { contact: { phone: argument } };
  if (command === '/start') return { start: argument };
  const choice = /^\d{1,2}$/.test(line) ? choices[Number(line) - 1] : undefined;
  return choice === undefined ? { text: line } : { choice };
}

if (import.meta.main) {
  const { PORT = '3000', ADMIN_PORT = PORT, STAFF_TOKEN } = environment();
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      options: { locale: text, as: text, url: text, conversation: text, help: { type: 'boolean' } },
    });
    const { url = `http://localhost:${ADMIN_PORT}`, conversation = `chat-${randomUUID()}` } = values;
    const { locale, as, help = false } = values;
    const { stdin: input, stdout: output } = process;
    if (input.isTTY || help) console.log(HELP);
    const client = createClient(url, STAFF_TOKEN);
    if (!help) process.exitCode = await chat({ client, input, output, manner: { conversation, locale, as } });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = 2;
  }
}
