import { clearLine, createInterface, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { StaffReply } from '../channels/staff/schemas.ts';

export type ScreenOptions = {
  readonly input: Readable;
  readonly output: Writable;
  /** A person types: show `help` and a prompt. Otherwise lines are read one after the other, and shown. */
  readonly interactive: boolean;
  readonly help: string;
};

/** The terminal of `npm run chat`. */
export type Screen = {
  /** The lines typed, trimmed, without empty ones. */
  readonly lines: AsyncIterable<string>;
  say(text: string): void;
  /** Answers and events carry the same replies: each is shown once. */
  show(reply: StaffReply): void;
  /** The ids of the choices shown last, in the order of their numbers. */
  choices(): readonly string[];
};

export function createScreen({ input, output, interactive, help }: ScreenOptions): Screen {
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
    if (interactive) say(help);
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
