import Fastify from 'fastify';
import type { Config } from './config.ts';
import type { Gift } from './conversation/context.ts';
import { realWorld } from './engine/world.ts';
import { createTransport } from './http/transport.ts';
import { createLoyalty, type LoyaltyOptions } from './loyalty/loyalty.ts';
import { sandboxCodePrefixes, sandboxGifts } from './sandbox/catalog.ts';
import { createSandbox } from './sandbox/sandbox.ts';

/** A connection that does not come about by then is surely none. */
const CONNECT_MS = 2000;

/** What the bot calls AntCRM: a real one, or the sandbox that is part of the process. */
export async function openBackend(
  { antcrm: { real, timeoutMs, maxCalls, contacts }, gifts, codePrefixes }: Config,
  watch: Pick<LoyaltyOptions, 'observe' | 'spans' | 'onCall' | 'around'>,
) {
  // It listens by itself, too: the bot reaches it over real HTTP whatever guards `/sandbox`, and until the last call ended.
  const sandbox = real ? undefined : createSandbox();
  const own = Fastify();
  if (sandbox) await own.register(sandbox);
  const at = real ?? { baseUrl: await own.listen({ host: '127.0.0.1', port: 0 }), apiKey: 'sandbox' };
  const { origin } = new URL(at.baseUrl);
  const transport = createTransport({ allows: (to) => to === origin, connectMs: CONNECT_MS });
  const calls = { ...at, timeoutMs, contacts, maxCalls };
  const loyalty = createLoyalty({ transport, world: realWorld, ...calls, ...watch });
  const offered: readonly Gift[] = gifts ?? (sandbox ? sandboxGifts : []);
  return {
    loyalty,
    gifts: offered,
    codePrefixes: codePrefixes ?? (sandbox ? sandboxCodePrefixes : []),
    /** The embedded AntCRM, where no real one is configured. */
    sandbox,
    async close() {
      loyalty.close();
      await transport.close();
      await own.close();
    },
  };
}
