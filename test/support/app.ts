import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';

export type Running = {
  readonly url: string;
  /** Ends every connection, event streams too. */
  cut(): void;
  stop(): Promise<void>;
};

/** The whole bot in this process, on a port of its own, over the memory store and the sandbox. */
export async function startBot(env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const read = readConfig({ LOG_LEVEL: 'silent', ...env });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const app = await createApp(read.config);
  const url = await app.server.listen({ host: '127.0.0.1', port: 0 });
  await app.start();
  return { url, cut: () => app.server.server.closeAllConnections(), stop: () => app.stop() };
}
