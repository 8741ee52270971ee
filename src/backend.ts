import Fastify from 'fastify';
import type { Config } from './config.ts';
import { type AntCrm, type AntCrmOptions, createAntCrm } from './loyalty/antcrm.ts';
import type { Observe } from './observability/metrics.ts';
import { sandboxCodePrefixes, sandboxGifts } from './sandbox/catalog.ts';
import { createSandbox } from './sandbox/sandbox.ts';

/** What the bot calls AntCRM: a real one, or the sandbox that is part of the process. */
export type Backend = {
  readonly antcrm: AntCrm;
  readonly gifts: NonNullable<Config['gifts']>;
  readonly codePrefixes: readonly string[];
  /** The embedded AntCRM, where no real one is configured. */
  readonly sandbox?: ReturnType<typeof createSandbox>;
  close(): Promise<void>;
};

export async function openBackend(
  { antcrm: { real, timeoutMs, maxCalls, contacts }, gifts, codePrefixes }: Config,
  observe: Observe,
  onCall: AntCrmOptions['onCall'],
): Promise<Backend> {
  const common = { timeoutMs, contacts, firstPage: 1, maxCalls, observe, onCall };
  if (real) {
    const antcrm = createAntCrm({ ...common, ...real });
    return { antcrm, gifts: gifts ?? [], codePrefixes: codePrefixes ?? [], close: () => antcrm.close() };
  }
  // It listens by itself, too: the bot reaches it over real HTTP whatever guards `/sandbox`, and until the last call ended.
  const sandbox = createSandbox();
  const own = Fastify();
  await own.register(sandbox);
  const baseUrl = await own.listen({ host: '127.0.0.1', port: 0 });
  const antcrm = createAntCrm({ ...common, baseUrl, apiKey: 'sandbox' });
  return {
    antcrm,
    gifts: gifts ?? sandboxGifts,
    codePrefixes: codePrefixes ?? sandboxCodePrefixes,
    sandbox,
    async close() {
      await antcrm.close();
      await own.close();
    },
  };
}
