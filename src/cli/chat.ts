import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createClient, type StaffClient } from '../channels/staff/client.ts';
import type { StaffEvent } from '../channels/staff/schemas.ts';
import { CHANNELS } from '../channels.ts';
import { environment } from '../config.ts';
import { LOCALES } from '../conversation/message.ts';
import { explain } from '../http/problem.ts';

/* `npm run chat`: the staff webhook from a terminal. Exit codes: 0, 1 refused or no bot, 2 wrong usage. */

const ROLES = CHANNELS.map(({ traits }) => traits.name).join('|');
const HELP = `npm run chat -- [options]: the bot from a terminal. Type a message, or the number of a choice.
Options: --locale vi|en --as ${ROLES} --conversation NAME --url URL`;

/** Where a chat is read from, shown and sent to. */
export type ChatOptions = {
  readonly client: StaffClient;
  readonly input: Readable;
  readonly output: Writable;
  /** The fields of a request that go with every message. */
  readonly manner: Pick<Parameters<StaffClient['send']>[0], 'conversation' | 'locale' | 'as'>;
};

/** Chats until the input ends. Resolves to the exit code: 1 after a refusal or without a bot. */
export async function chat({ client, input, output, manner }: ChatOptions): Promise<0 | 1> {
  const ending = new AbortController();
  let code: 0 | 1 = 0;
  let lastSeq = 0;
  let choices: readonly string[] = [];
  const say = (...texts: readonly string[]): void => void output.write(`${texts.join('\n')}\n`);

  /** Answers and events carry the same replies, in the same order: each is shown once. */
  function show({ seq, text, choices: offered = [], view }: ShownReply): void {
    if (seq <= lastSeq) return;
    lastSeq = seq;
    if (offered.length > 0) choices = offered.map(({ id }) => (view ? `${id}~${view}` : id));
    say(text, ...offered.map(({ label }, index) => `  ${index + 1}. ${label}`));
  }

  async function send(line: string): Promise<void> {
    const choice = /^\d{1,2}$/.test(line) ? choices[Number(line) - 1] : undefined;
    const answer = await client.send({ ...manner, ...(choice === undefined ? { text: line } : { choice }) });
    if (answer.status === 'refused') {
      code = 1;
      say(...explain(answer.problem));
    } else if (answer.status === 'queued') say('… (the answer will follow)');
    else answer.replies.forEach(show);
  }

  const events = client.events(manner.conversation, 0, ending.signal);
  const following = Array.fromAsync(events, show).catch(() => {});
  try {
    for await (const line of createInterface({ input })) if (line.trim()) await send(line.trim());
  } catch {
    code = 1;
    say('The bot cannot be reached: is it running (npm start)? Another address: --url URL');
  }
  input.destroy();
  ending.abort();
  await following;
  return code;
}

type ShownReply = Pick<StaffEvent, 'seq' | 'text' | 'choices' | 'view'>;

if (import.meta.main) {
  const { PORT = '3000', ADMIN_PORT = PORT, STAFF_TOKEN } = environment();
  const text = { type: 'string' } as const;
  const options = {
    locale: text,
    as: text,
    url: text,
    conversation: text,
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ options });
    const { url = `http://localhost:${ADMIN_PORT}`, conversation = `chat-${randomUUID()}` } = values;
    const { as, help = false } = values;
    const locale = z.enum(LOCALES).optional().parse(values.locale);
    const { stdin: input, stdout: output } = process;
    if (input.isTTY || help) console.log(HELP);
    const client = createClient(url, STAFF_TOKEN);
    if (!help) process.exitCode = await chat({ client, input, output, manner: { conversation, locale, as } });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = 2;
  }
}
