import type { Config } from './config.ts';
import { createHttp, type ServerOptions, waitForClose } from './http/server.ts';
import { createMetrics } from './observability/metrics.ts';
import { Spans } from './observability/tracing.ts';
import { createSecrets } from './records/secrets.ts';
import { systemRuntime } from './runtime.ts';
import { createCanary, createEncryption } from './store/encryption.ts';
import { openStore } from './store/open.ts';

/** How long sending the last spans may take. */
const SPANS_MS = 1000;

export type Base = Awaited<ReturnType<typeof openBase>>;

/** Opens what all other parts need: servers, metrics, traces and the store. */
export async function openBase(config: Config, { requestMs, peopleMs, log }: ServerOptions) {
  const spans = new Spans();
  const http = await createHttp(config, { requestMs, peopleMs, log, logFields: () => spans.fields() });
  const metrics = createMetrics({ log: http.log });
  const { observe } = metrics;
  if (config.tracesEndpoint !== undefined) await spans.open(config.tracesEndpoint, observe.log);
  const { state: key, statePrevious: previous, hash: hashKey } = config.keys;
  const encryption = createEncryption({ key, previous, hashKey, onPrevious: observe.previousKey });
  const canary = createCanary({ key, previous, hashKey });
  const { records: store, feed, close: closeStore } = await openStore(config.redis, canary, observe);
  return { http, metrics, spans, encryption, store, feed, closeStore };
}

/** Keeps the secrets of a channel. */
export const openSecrets =
  ({ store, encryption, metrics }: Base) =>
  (channel: string) =>
    createSecrets(channel, {
      store,
      sealer: encryption,
      runtime: systemRuntime,
      onFault: (fault, name) => metrics.observe.alarm(fault, { channel, conversation: name }),
    });

type Stoppable = { stop(): Promise<unknown> };

/** Within ten seconds: refuses requests, finishes calls, releases the other turns, closes everything. */
export async function stopParts(
  { http, spans, closeStore }: Base,
  parts: {
    readonly engine: Stoppable;
    readonly channels: Stoppable & { close(): Promise<unknown> };
    readonly others: readonly { close(): Promise<void> }[];
  },
): Promise<void> {
  const { engine, channels, others } = parts;
  http.refuseRequests();
  // Turns still finish, and their replies need the channels' connections until then.
  await Promise.all([engine.stop(), channels.stop()]);
  await Promise.all([http.close(), channels.close()]);
  const closing = others.map((part) => waitForClose(part.close()));
  await Promise.all([...closing, waitForClose(closeStore()), waitForClose(spans.close(), SPANS_MS)]);
}
