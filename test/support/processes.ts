import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { startChild } from './children.ts';
import { scanLater } from './logs.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');
/** How `npm start` runs Node. */
const FLAGS = manifest.scripts.start.split(' ').filter((word) => /^--(max|expose)-/.test(word));

type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Bot = Awaited<ReturnType<typeof startProcess>> & { readonly url: string };

export type Environment = Readonly<Record<string, string>>;

/**
 * Tests say more in a second than customers do: the double takes whatever comes, unless a test is about the
 * pace.
 */
export const AT_ANY_PACE = { TELEGRAM_MESSAGES_PER_SECOND: '10000', TELEGRAM_CHAT_BURST: '10000' };

/**
 * The bot on a free port, once it listens. `main` is another program than `src/main.ts` that starts one and
 * says so in the same words.
 */
export async function startBot(env: Environment = {}, main = 'src/main.ts'): Promise<Bot> {
  const bot = await startProcess(main, { LOG_LEVEL: 'trace', ...AT_ANY_PACE, ...env });
  scanLater(bot.lines, env);
  const [, url = ''] = await bot.line(/listening on (http:\/\/[^"\s]+)/);
  return { ...bot, url };
}

/**
 * Runs a program of this repository, or of another by its whole path, with this environment and nothing of
 * ours.
 */
export async function startProcess(main: string, env: Environment = {}, args: readonly string[] = []) {
  const child = startChild(NODE, [...FLAGS, resolve(ROOT, main), ...args], {
    // Not the repository's folder: a developer's .env must not get in.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, PORT: '0', ...env },
  });
  const lines: string[] = [];
  const output: string[] = [];
  const news = new EventTarget();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (stream === child.stdout) output.push(line);
      news.dispatchEvent(new Event('news'));
    });
  }
  let over = false;
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    over = true;
    news.dispatchEvent(new Event('news'));
    return { code, signal };
  });

  const end = (signal: NodeJS.Signals): Promise<Ended> => {
    if (!over) child.kill(signal);
    return ended;
  };
  return {
    /** What it printed so far, line by line; `output`: by standard output alone. */
    lines: lines as readonly string[],
    output: output as readonly string[],
    /** The first line, past or future, that fits. Rejects with all lines if the process ends without it. */
    async line(pattern: RegExp): Promise<RegExpExecArray> {
      for (let seen = 0; ; seen++) {
        while (seen >= lines.length) {
          if (over) throw new Error(`${main} ended without ${pattern}:\n${lines.join('\n')}`);
          await once(news, 'news');
        }
        const found = pattern.exec(lines[seen] ?? '');
        if (found) return found;
      }
    },
    ended,
    /** Asks it to stop, and waits until it has. */
    stop: () => end('SIGTERM'),
    /** Ends it at once, as a crash would. */
    kill: () => end('SIGKILL'),
  };
}
