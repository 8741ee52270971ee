import { flushCompileCache } from 'node:module';
import closeWithGrace from 'close-with-grace';
import { z } from 'zod';
import { createApp } from './app.ts';
import { findClosestName } from './closest-name.ts';
import { type Config, EXIT_CONFIG, environment, readConfig } from './config.ts';
import type { Addresses } from './http/server.ts';
import { createWatchdog } from './observability/watchdog.ts';
import { StoreRefused } from './store/port.ts';
import { placesOf } from './store/redis/address.ts';

/** A little longer than a graceful stop may take (docs/how-it-works.md, "A crash"). */
const STOP_MS = 11_000;

/** Node's error of a server that cannot listen, or of a name that cannot be looked up. */
const listenFaultSchema = z.object({ code: z.string(), port: z.number().default(0) });

const [option] = process.argv.slice(2);
if (option !== undefined && option !== '--check') {
  const closest = findClosestName(option, ['--check']);
  console.error(`There is no option ${option}${closest ? `: did you mean ${closest}?` : ', only --check'}`);
  process.exit(2);
}
const read = readConfig(environment());
if (!read.ok) {
  const faults = read.faults.map((fault) => `  ${fault}`);
  console.error(['The configuration has faults:', ...faults, ...read.warnings].join('\n'));
  process.exit(EXIT_CONFIG);
}
const { config, warnings } = read;

const watchdog = createWatchdog();
const app = await createApp(config, { watchdog }).catch((error: unknown) => {
  if (!(error instanceof StoreRefused)) throw error;
  console.error(error.message);
  process.exit(EXIT_CONFIG);
});
const isLogged = !['error', 'fatal', 'silent'].includes(config.logLevel);
for (const warning of warnings) isLogged ? app.server.log.warn(warning) : console.error(warning);
// `--check` only says whether a start would be refused (compose.yaml).
if (option !== undefined) {
  const isSound = await app.checkStore().then(
    (faults) => {
      for (const fault of faults) console.error(fault);
      console.log('All is well: the configuration has no faults, and a message can be stored.');
      return true;
    },
    ({ message }: Error) => console.error(`REDIS_URL: ${message}`),
  );
  await app.stop();
  process.exit(isSound ? 0 : 1);
}

watchdog.start();
const skip = ['SIGINT', 'SIGTERM'] as const;
const { close } = closeWithGrace({ delay: STOP_MS, logger: false, skip: [...skip] }, async ({ err }) => {
  if (err) app.server.log.error({ err }, 'stopping after an unexpected error');
  await app.stop();
  app.server.log.info('stopped');
});
// Ctrl-C under `npm start` comes twice: the second must not end the stop.
let stopping = false;
const stop = (): void => {
  if (!stopping) close();
  stopping = true;
};
for (const signal of skip) process.on(signal, stop);

// A killed process would never write the compile cache.
flushCompileCache();
// Loading leaves garbage that an idle bot would never collect: 131 MB resident instead of 166. The flags of
// `npm start` (semi-space, heap growth, arenas) keep a bot under load at 250 MB instead of 380.
globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
const addresses = await listen();
await app.start();
// The greeting goes to standard error: programs read the log from standard output.
console.error(greeting(config, addresses));

/** Ends the process if this user cannot open the address on this machine, or if another program has it. */
async function listen(): Promise<Addresses> {
  try {
    return await app.listen();
  } catch (error) {
    const { code, port } = listenFaultSchema.parse(error);
    const { host } = config.listen;
    await app.stop();
    const name = port === config.adminPort ? 'ADMIN_PORT' : 'PORT';
    const isTaken = code === 'EADDRINUSE';
    if (isTaken) console.error(`${name}: ${port} is in use. Another one: ${name}=${port + 1} npm start`);
    else console.error(`HOST: got "${host}", wants an address whose ${name} this user may open (${code})`);
    // The program that has the port may be about to stop: a supervisor should try again.
    process.exit(isTaken ? 1 : EXIT_CONFIG);
  }
}

/** One line a channel, and one for each embedded part. */
function greeting({ listen: { host }, adminPort, redis, antcrm }: Config, addresses: Addresses): string {
  const lines = [
    `The bot listens on ${host}:${new URL(addresses.url).port}.`,
    ...(adminPort === undefined
      ? []
      : [`For staff and operators: ${host}:${new URL(addresses.adminUrl).port}`]),
    ...app.channels.greeting(addresses),
    redis
      ? `Store: Redis at ${placesOf(redis.address)}`
      : 'Store: in memory, gone with this process (REDIS_URL is unset)',
    ...(antcrm.real ? [] : ['CRM:   a sandbox with customers, codes and gifts (ANTCRM_BASE_URL is unset)']),
    // A wrong token or address shows at once.
    ...[...app.channels.faults()].flatMap(([channel, faults]) =>
      faults.map((fault) => `OUT OF ORDER: ${channel}: ${fault}`),
    ),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}
