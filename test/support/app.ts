import { type AppOptions, createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { scanLater } from './logs.ts';
import { PATIENT } from './photos.ts';
import { AT_ANY_PACE } from './processes.ts';

export type Running = {
  readonly url: string;
  /** Where staff and operators are; the same without `ADMIN_PORT`. */
  readonly adminUrl: string;
  readonly config: Config;
  /** Ends every connection, event streams too. */
  cut(): void;
  stop(): Promise<void>;
};

/** The whole bot in this process, on a port of its own, over the memory store and the sandbox unless told otherwise. */
export async function startBot(
  env: Readonly<Record<string, string>> = {},
  options: AppOptions = {},
): Promise<Running> {
  const lines: string[] = [];
  scanLater(lines, env);
  const read = readConfig({ LOG_LEVEL: 'trace', PORT: '0', ...AT_ANY_PACE, ...env });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const app = await createApp(read.config, {
    log: { write: (line) => lines.push(line) },
    photos: PATIENT,
    ...options,
  });
  const at = await app.listen();
  await app.start();
  return {
    url: numeric(at.url),
    adminUrl: numeric(at.adminUrl),
    config: read.config,
    cut() {
      for (const { server } of [app.server, app.admin]) server.closeAllConnections();
    },
    stop: () => app.stop(),
  };
}

/** What `localhost` is: a client that asks for the other address first would take longer. */
const numeric = (url: string): string => url.replace('localhost', '127.0.0.1');
