import Fastify from 'fastify';
import type { Config } from './config.ts';
import { Transport } from './http/transport.ts';
import { createLoyalty, type LoyaltyOptions } from './loyalty/loyalty.ts';
import { systemRuntime } from './runtime.ts';
import { sandboxCodePrefixes, sandboxGifts } from './sandbox/catalog.ts';
import { createSandbox } from './sandbox/sandbox.ts';

/** Then a connection is surely not established: nothing was sent. */
const CONNECT_MS = 2000;

type BackendOptions = Pick<LoyaltyOptions, 'observe' | 'spans' | 'watchedCalls' | 'around'> & {
  /** Keeps what the AntCRM at that address has shown. */
  openSeen(address: string): NonNullable<LoyaltyOptions['seen']>;
};

/** Opens the client of AntCRM: of the real one, or of the sandbox within this process. */
export async function openBackend({ antcrm, ...config }: Config, { openSeen, ...options }: BackendOptions) {
  const sandbox = antcrm.real ? undefined : await openSandbox();
  const { baseUrl = '', apiKey = '' } = antcrm.real ?? sandbox ?? {};
  const { origin } = new URL(baseUrl);
  const transport = new Transport({ origin, connectMs: CONNECT_MS });
  const gifts = config.gifts ?? (sandbox ? sandboxGifts : []);
  const loyalty = createLoyalty({
    ...antcrm,
    gifts,
    baseUrl,
    apiKey,
    transport,
    runtime: systemRuntime,
    // The sandbox has another port each time, and forgets with this process.
    seen: antcrm.real ? openSeen(baseUrl) : undefined,
    lastCheckMs: config.settings.operationChecksMs.at(-1),
    ...options,
  });
  await loyalty
    .open()
    .catch((err: unknown) => options.observe.log.warn({}, `Nothing is known of AntCRM: ${err}`));
  return {
    ...loyalty,
    gifts,
    codePrefixes: config.codePrefixes ?? (sandbox ? sandboxCodePrefixes : []),
    /** AntCRM's routes, if the sandbox is the backend. */
    sandbox: sandbox?.routes,
    async close(): Promise<void> {
      loyalty.close();
      await Promise.all([transport.close(), sandbox?.close()]);
    },
  };
}

/** The sandbox also listens on a separate port, whose key only the bot has. */
async function openSandbox() {
  const routes = createSandbox();
  const apiKey = systemRuntime.id();
  const server = Fastify().addHook('onRequest', async ({ headers }, reply) =>
    headers.apikey === apiKey ? undefined : reply.code(401).send(),
  );
  await server.register(routes);
  const baseUrl = await server.listen({ host: '127.0.0.1', port: 0 });
  return { baseUrl, apiKey, routes, close: () => server.close() };
}
