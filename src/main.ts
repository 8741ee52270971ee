import { flushCompileCache } from 'node:module';
import closeWithGrace from 'close-with-grace';
import { z } from 'zod';
import { createApp } from './app.ts';
import { type Config, EXIT_CONFIG, environment, readConfig } from './config.ts';
import type { Addresses } from './http/server.ts';
import { logOutput } from './observability/log.ts';
import { startWatchdog } from './observability/watchdog.ts';
import { StoreRefused } from './store/port.ts';
import { placesOf } from './store/redis/address.ts';

/** A little over what a graceful stop takes at most (docs/how-it-works.md, "A crash"). */
const STOP_MS = 11_000;

/** Node's error of a server that cannot listen, or of a name that cannot be looked up. */
const listenFaultSchema = z.object({ code: z.string(), port: z.number().optional() });

const read = readConfig(environment());
if (!read.ok) {
  const faults = read.faults.map((fault) => `  ${fault}`);
  console.error(['The configuration has faults:', ...faults, ...read.warnings].join('\n'));
  process.exit(EXIT_CONFIG);
}
const { config, warnings } = read;

const watchdog = startWatchdog();
const app = await createApp(config, { log: await logOutput(process.stdout), watchdog }).catch(
  (error: unknown) => {
    if (!(error instanceof StoreRefused)) throw error;
    console.error(error.message);
    process.exit(EXIT_CONFIG);
  },
);
for (const warning of warnings) app.server.log.warn(warning);
// Whether a start would be refused: asked once, where whatever ends is started again (compose.yaml).
if (process.argv.includes('--check')) {
  const isSound = await app.checkStore().then(
    () => true,
    ({ message }: Error) => console.error(`REDIS_URL: ${message}`),
  );
  await app.stop();
  process.exit(isSound ? 0 : 1);
}

const skip = ['SIGINT', 'SIGTERM'] as const;
const { close } = closeWithGrace({ delay: STOP_MS, logger: false, skip: [...skip] }, async ({ err }) => {
  if (err) app.server.log.error({ err }, 'stopping after an error that nobody expected');
  await app.stop();
  app.server.log.info('stopped');
});
// Ctrl-C under `npm start` comes twice, from the terminal and from npm: the second one must not cut the stop
// short.
let stopping = false;
const stop = (): void => {
  if (!stopping) close();
  stopping = true;
};
for (const signal of skip) process.on(signal, stop);

// Written now: a process that is killed writes nothing at its end (`node-version.mjs`).
flushCompileCache();
// Loading the parts leaves some 40 MB of garbage, which an idle bot would keep for good (`--expose-gc`).
globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
const at = await listen();
await app.start();
// For people: standard output is the log's alone, so that programs can read it.
console.error([greeting(config, at), ...faultLines()].join('\n'));

/** Ends the process where the address is not this machine's (`HOST`), or the port is not free. */
async function listen(): Promise<Addresses> {
  try {
    return await app.listen();
  } catch (error) {
    const { code, port } = listenFaultSchema.parse(error);
    await app.stop();
    const name = port === config.adminPort ? 'ADMIN_PORT' : 'PORT';
    if (code === 'EADDRINUSE' && port !== undefined) {
      const another = port === 65_535 ? 0 : port + 1;
      console.error(`${name}: ${port} is in use. Another one: ${name}=${another} npm start`);
      // The program that has it may be about to stop: a supervisor should try again.
      process.exit(1);
    }
    if (code === 'EACCES') console.error(`${name}: got ${port}, wants a port that this user may open`);
    else
      console.error(`HOST: got "${config.listen.host}", wants a name or address of this machine (${code})`);
    process.exit(EXIT_CONFIG);
  }
}

/** What each channel says, and what is embedded because of what is unset. */
function greeting({ listen: { host }, adminPort, redis, antcrm }: Config, at: Addresses): string {
  const lines = [
    `The bot listens on ${host}:${new URL(at.url).port}.`,
    ...(adminPort === undefined ? [] : [`For staff and operators: ${host}:${new URL(at.adminUrl).port}`]),
    ...app.channels.greeting(at),
    redis
      ? `Store: Redis at ${placesOf(redis.address)}`
      : 'Store: in memory, gone with this process (REDIS_URL is unset)',
    ...(antcrm.real ? [] : ['CRM:   a sandbox with customers, codes and gifts (ANTCRM_BASE_URL is unset)']),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

/** What is out of order now, so that operators see at once that a token or an address is wrong. */
function faultLines(): string[] {
  return [...app.channels.faults()].flatMap(([channel, lines]) =>
    lines.map((line) => `  OUT OF ORDER: ${channel}: ${line}`),
  );
}
