import { openBackend } from './backend.ts';
import { type Channel, type ChannelEntry, Channels } from './channels/channel.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import type { Settings } from './conversation/context.ts';
import { Engine } from './engine/engine.ts';
import type { EngineLimits } from './engine/limits.ts';
import { Operators } from './engine/operators.ts';
import { Traces } from './engine/trace.ts';
import type { RecordFault } from './engine/versioned-records.ts';
import { createHttp, type ServerOptions, waitForClose } from './http/server.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import { createNotices } from './notices.ts';
import { createMetrics } from './observability/metrics.ts';
import { Spans } from './observability/tracing.ts';
import type { Watchdog } from './observability/watchdog.ts';
import { createStepIds, openConversation, type TalkOptions } from './open-conversation.ts';
import { Overload } from './operators/overload.ts';
import { createTickets } from './operators/tickets.ts';
import { createPhotoReader, type PhotoReaderOptions } from './photos/reader.ts';
import { mountRoutes } from './routes.ts';
import { systemRuntime } from './runtime.ts';
import { createCanary, createEncryption } from './store/encryption.ts';
import { openStore } from './store/open.ts';
import type { RecordStore } from './store/port.ts';

/** How long sending the last spans may take. */
const SPANS_MS = 1000;

/** Turns at once. A slow AntCRM gets at most half of them. */
const TURNS = 64;
const TURNS_PER_CALL = 2;

/** For programs that add channels, flows and wording to the bot, and for tests. */
export type AppOptions = ServerOptions &
  TalkOptions & {
    /** Added to the app's own channels. */
    readonly channels?: readonly ChannelEntry<Config>[] | undefined;
    readonly limits?: Partial<EngineLimits> | undefined;
    readonly photos?: PhotoReaderOptions | undefined;
    readonly watchdog?: Watchdog | undefined;
    readonly around?: Partial<Around> | undefined;
  };

/** Replaces a port by one around it: fault tests attack there. */
export type Around = {
  store(port: RecordStore): RecordStore;
  antcrm(port: AntCrmClient): AntCrmClient;
  channel(port: Channel): Channel;
};

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}) {
  const { around = {} } = options;
  const base = await openBase(config, options);
  const { http, metrics, stores, core } = base;
  const { observe, spans } = core;
  const channels = new Channels([...CHANNELS, ...(options.channels ?? [])]);
  const { conversation, words } = openConversation(config, { ...options, log: observe.log });
  const { commands, readState } = conversation;
  const traces = new Traces(channels.traced, (text, before, sender) =>
    conversation.explain(text, before, { settings, nowMs: Date.now(), sender }),
  );
  const calls = { spans: spans.isTracing ? spans : undefined, watchedCalls: traces.calls };
  const backend = await openBackend(config, { observe, ...calls, around: around.antcrm });
  const { gifts, codePrefixes, perform, isUp: serviceUp } = backend;
  const settings: Settings = { ...config.settings, gifts, codePrefixes };
  const photoReader = createPhotoReader(options.photos);
  const notices = createNotices(observe, config.handoverWebhook);
  const engine = new Engine({
    ...core,
    traces,
    photoReader,
    perform,
    store: around.store?.(core.store) ?? core.store,
    conversation: { ...conversation, settings, serviceUp },
    platform: channels.platform,
    ids: createStepIds,
    watchdog: options.watchdog,
    limits: { concurrency: Math.max(TURNS, TURNS_PER_CALL * config.antcrm.maxCalls), ...options.limits },
    onNotice: notices.onNotice,
  });
  const onFault = (fault: RecordFault, name: string): void => observe.alarm(fault, { conversation: name });
  const operators = new Operators({ ...core, readState, onFiled: engine.schedule, onFault });
  const tickets = createTickets({ ...core, operators });

  const { maxBacklog } = config;
  const overload = new Overload({ ...core, operators, isSaturated: engine.isSaturated, maxBacklog });
  const work = { accept: overload.around(engine.accept), commands, words, photoReader, feed: stores.feed };
  const { answers } = config;
  const facts = { answers, handover: config.settings.handover, sandboxed: backend.sandbox !== undefined };
  await channels.open(config, { ...core, ...http, ...work, ...facts, tickets }, around.channel);
  channels.mount(http);
  mountRoutes({ ...core, config, http, channels, words, gifts, metrics, operators, backend, overload });
  await http.ready();

  return {
    server: http.server,
    admin: http.admin,
    listen: http.listen,
    channels,
    /** Rejects with the reason if no message can be stored now. */
    checkStore: () => core.store.health(),
    /** Once it listens: begins to work on what is due, registers webhooks. */
    async start(): Promise<void> {
      engine.start();
      overload.start();
      await channels.start(observe.log);
    },
    stop: () => stop(base, { engine, channels, others: [overload, backend, photoReader, notices] }),
  };
}

/** Opens what everything else stands on: servers, metrics, traces and the store. */
async function openBase(config: Config, options: ServerOptions) {
  const spans = new Spans();
  const http = await createHttp(config, { ...options, logFields: () => spans.fields() });
  const metrics = createMetrics({ log: http.log });
  const { observe } = metrics;
  if (config.tracesEndpoint !== undefined) await spans.open(config.tracesEndpoint, observe.log);
  const keys = { key: config.keys.state, previous: config.keys.statePrevious, hashKey: config.keys.hash };
  const encryption = createEncryption({ ...keys, onPrevious: observe.previousKey });
  const stores = await openStore(config.redis, createCanary(keys), observe);
  const core = { store: stores.records, encryption, observe, spans, runtime: systemRuntime };
  return { http, metrics, stores, core };
}

/** Within ten seconds: refuses requests, finishes calls, releases the other turns, closes everything. */
async function stop(
  { http, stores, core }: Awaited<ReturnType<typeof openBase>>,
  parts: {
    readonly engine: Engine;
    readonly channels: Channels<Config>;
    readonly others: readonly { close(): Promise<void> }[];
  },
): Promise<void> {
  const { engine, channels, others } = parts;
  http.refuseRequests();
  // Turns still finish, and their replies need the channels' connections until then.
  await Promise.all([engine.stop(), channels.stop()]);
  await Promise.all([http.close(), channels.close()]);
  const closing = [...others, stores].map((part) => waitForClose(part.close()));
  await Promise.all([...closing, waitForClose(core.spans.close(), SPANS_MS)]);
}
