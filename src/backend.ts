import Fastify from 'fastify';
import type { Config } from './config.ts';
import type { Perform } from './conversation/effect.ts';
import { createTransport } from './http/transport.ts';
import { createLoyalty, type LoyaltyOptions } from './loyalty/loyalty.ts';
import type { Spans } from './observability/tracing.ts';
import { systemRuntime } from './runtime.ts';
import { sandboxCodePrefixes, sandboxGifts } from './sandbox/catalog.ts';
import { createSandbox } from './sandbox/sandbox.ts';

/** A connection that takes longer is surely not established. */
const CONNECT_MS = 2000;

type BackendOptions = Pick<LoyaltyOptions, 'observe' | 'onCall' | 'around'> & { readonly spans: Spans };

/** Opens what the bot calls AntCRM: a real one, or the sandbox as a part of the process. */
export async function openBackend({ antcrm, ...config }: Config, options: BackendOptions) {
  const sandbox = antcrm.real ? undefined : await openSandbox();
  const { baseUrl = '', apiKey = '' } = antcrm.real ?? sandbox ?? {};
  const { origin } = new URL(baseUrl);
  const transport = createTransport({ allows: (to) => to === origin, connectMs: CONNECT_MS });
  const loyalty = createLoyalty({
    ...antcrm,
    baseUrl,
    apiKey,
    transport,
    runtime: systemRuntime,
    ...options,
  });
  return {
    perform: tracePerform(loyalty.perform, options.spans),
    isUp: loyalty.isUp,
    faults: loyalty.faults,
    gifts: config.gifts ?? (sandbox ? sandboxGifts : []),
    codePrefixes: config.codePrefixes ?? (sandbox ? sandboxCodePrefixes : []),
    /** AntCRM's routes, where the sandbox is the backend. */
    sandbox: sandbox?.routes,
    async close(): Promise<void> {
      loyalty.close();
      await Promise.all([transport.close(), sandbox?.close()]);
    },
  };
}

/** Log lines during an effect name its operation, with or without traces. */
const tracePerform =
  (perform: Perform, spans: Spans): Perform =>
  (effect, context) => {
    const operation = 'operation' in effect ? effect.operation : undefined;
    return spans.around({ name: 'perform', effect: effect.kind, operation }, async () => {
      const outcome = await perform(effect, context);
      spans.note({ outcome: outcome.kind === 'checked' ? outcome.found : outcome.kind });
      return outcome;
    });
  };

/**
 * The sandbox listens on a port of its own, too: the bot reaches it over real HTTP, whatever guards its
 * `routes`, and until the last call has ended. Only the bot has the key of that port.
 */
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
