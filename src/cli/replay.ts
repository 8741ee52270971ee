import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StaffEvent } from '../channels/staff/answer.ts';
import type { StaffClient } from '../channels/staff/client.ts';
import type { MessageStep, Script } from './script.ts';

export type ReplayOptions = {
  readonly client: StaffClient;
  readonly script: Script;
  /** One line each: what is sent, what came, what should have come. */
  say(line: string): void;
  /** How long replies are waited for. */
  readonly patienceMs?: number | undefined;
};

const PATIENCE_MS = 30_000;

/** Has the conversation of a script again, under a new name. Resolves to how many steps were answered otherwise. */
export async function replay({ client, script, say, patienceMs }: ReplayOptions): Promise<number> {
  const conversation = `replay-${randomUUID()}`;
  const heard = listen(client, conversation, patienceMs ?? PATIENCE_MS);
  /** What each step's last question offered, for presses on old ones. */
  const questions: Question[] = [];
  let differing = 0;
  try {
    for (const [at, step] of script.steps.entries()) {
      questions[at] = heard.question();
      if ('reset' in step) await client.sandbox('reset', {});
      else if ('fault' in step) await client.sandbox('faults', step.fault);
      else if (!(await had(step))) differing += 1;
      questions[at] = heard.question();
    }
    return differing;
  } finally {
    heard.close();
  }

  async function had({ send, keys, later = [] }: MessageStep): Promise<boolean> {
    const { of, choice, ...content } = send;
    const question = of === undefined ? heard.question() : questions[of];
    const pressed = choice === undefined ? {} : { choice: pressOf(choice, question) };
    const id = randomUUID();
    say(`> ${JSON.stringify(send)}`);
    const answer = await client.send({ ...content, ...pressed, conversation, id });
    if (answer.status === 'refused') return differ(keys, [answer.problem.detail ?? answer.problem.title]);
    const asked = await heard.turn(id);
    return differ([...keys, ...later], [...asked, ...(await heard.unasked(later.length))]);
  }

  /** True where they are the same. */
  function differ(wanted: readonly string[], got: readonly string[]): boolean {
    const same = wanted.join() === got.join();
    if (same) say(`  ✓ ${got.join(', ')}`);
    else say(`  ✗ ${got.join(', ') || 'nothing'}\n    instead of ${wanted.join(', ') || 'nothing'}`);
    return same;
  }
}

type Question = Pick<StaffEvent, 'choices' | 'view'>;

/** The button that a script means; what was not offered is pressed as it is written. */
function pressOf(choice: string, { choices = [], view }: Question = {}): string {
  const offered = choices.find(({ id }) => id === choice || id.startsWith(`${choice}:`))?.id ?? choice;
  return view === undefined ? offered : `${offered}~${view}`;
}

/** Follows a conversation from its beginning. */
function listen(client: StaffClient, conversation: string, patienceMs: number) {
  const events: StaffEvent[] = [];
  const ending = new AbortController();
  let question: Question = {};
  let news = Promise.withResolvers<void>();
  /** How many unasked replies were handed out. */
  let told = 0;

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        for await (const event of client.events(conversation, events.at(-1)?.seq ?? 0, ending.signal)) {
          events.push(event);
          if (event.choices?.length) question = event;
          news.resolve();
          news = Promise.withResolvers();
        }
      } catch {
        // A cut connection: the next one begins after the last event heard.
        await sleep(200, undefined, ending).catch(() => {});
      }
    }
  }
  void follow();

  /** What `find` makes of the events as soon as it is content, at the latest when patience ends. */
  async function wait<T>(find: () => { found: T; content: boolean }): Promise<T> {
    const late = sleep(patienceMs, 'late', ending).catch(() => 'late');
    for (let state = find(); ; state = find()) {
      if (state.content) return state.found;
      if ((await Promise.race([news.promise, late])) === 'late') return find().found;
    }
  }

  const keysOf = (some: readonly StaffEvent[]) => some.map(({ key }) => key);

  return {
    question: () => question,
    /** The keys of the replies to a message, once the last is there. */
    turn: (id: string) =>
      wait(() => {
        const replies = events.filter(({ turn }) => turn === id);
        return { found: keysOf(replies), content: replies.at(-1)?.last === true };
      }),
    /** The keys of the next replies that nobody asked for, `count` of them. */
    async unasked(count: number): Promise<string[]> {
      const found = await wait(() => {
        const replies = events.filter(({ turn }) => turn === undefined).slice(told);
        return { found: keysOf(replies), content: replies.length >= count };
      });
      told += found.length;
      return found;
    },
    close: () => ending.abort(),
  };
}
