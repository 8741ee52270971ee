import packageJson from '../package.json' with { type: 'json' };
import { openBackend } from './backend.ts';
import { type Channel, type ChannelEntry, Channels } from './channels/channel.ts';
import { STAFF_SECURITY, STAFF_TAG } from './channels/staff/schemas.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import type { Settings } from './conversation/context.ts';
import { createEngine } from './engine/engine.ts';
import type { EngineLimits } from './engine/limits.ts';
import { Operators } from './engine/operators.ts';
import { createTraces } from './engine/trace.ts';
import type { RecordFault } from './engine/versioned-records.ts';
import { createHttp, inTime, type ServerOptions } from './http/server.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import { createNotices } from './notices.ts';
import { createMetrics } from './observability/metrics.ts';
import { Spans } from './observability/tracing.ts';
import { openConversation, StepIds, type TalkOptions } from './open-conversation.ts';
import { createTickets } from './operators/tickets.ts';
import { createPhotoReader, type PhotoReaderOptions } from './photos/reader.ts';
import { mountRoutes } from './routes.ts';
import { systemRuntime } from './runtime.ts';
import { createCanary, createEncryption } from './store/encryption.ts';
import { openStore } from './store/open.ts';
import type { RecordStore } from './store/port.ts';

/** How long a whole stop may take; what is left at the end is for the last spans. */
const STOP_MS = 9_500;

/** A slow AntCRM must never starve what needs no call: it gets at most half of the turns at work. */
const CONCURRENCY = 64;
const TURNS_PER_CALL = 2;

/** For programs around the bot (`channels`, `flows` and their wording), and for tests. */
export type AppOptions = ServerOptions &
  TalkOptions & {
    /** Channels in addition to the app's own. */
    readonly channels?: readonly ChannelEntry<Config>[] | undefined;
    readonly limits?: Partial<EngineLimits> | undefined;
    readonly photos?: PhotoReaderOptions | undefined;
    /** Puts something between the parts and a port: fault tests attack there. */
    readonly around?: Partial<Around> | undefined;
  };

export type Around = {
  store(port: RecordStore): RecordStore;
  antcrm(port: AntCrmClient): AntCrmClient;
  channel(port: Channel): Channel;
};
const same = <Port>(port: Port): Port => port;

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}) {
  const around: Around = { store: same, antcrm: same, channel: same, ...options.around };
  const spans = new Spans();
  const api = { version: packageJson.version, tag: STAFF_TAG, security: STAFF_SECURITY };
  const http = await createHttp(config, { ...options, api, logFields: () => spans.fields() });
  const metrics = createMetrics({ log: http.log });
  const { observe } = metrics;
  const channels = new Channels([...CHANNELS, ...(options.channels ?? [])]);
  const { tracesEndpoint } = config;
  if (tracesEndpoint !== undefined) await spans.open(tracesEndpoint, observe.log);

  const keys = { key: config.keys.state, previous: config.keys.statePrevious, hashKey: config.keys.hash };
  const encryption = createEncryption({ ...keys, onPrevious: observe.previousKey });
  const stores = await openStore(config.redis, createCanary(keys), observe);
  const store = stores.records;
  const core = { store, encryption, observe, spans, runtime: systemRuntime };

  const { conversation, words } = openConversation(config, { ...options, log: observe.log, spans });
  const { commands, readState } = conversation;
  const traces = createTraces(channels.traced, (text, before, sender) =>
    conversation.explain(text, before, { settings, nowMs: Date.now(), sender }),
  );
  const backend = await openBackend(config, { ...core, onCall: traces.call, around: around.antcrm });
  const { gifts, codePrefixes } = backend;
  const settings: Settings = { ...config.settings, gifts, codePrefixes };
  const photoReader = createPhotoReader(options.photos);
  const notices = createNotices(observe, config.handoverWebhook);
  const engine = createEngine({
    ...{ ...core, traces, photoReader },
    store: around.store(store),
    conversation: { ...conversation, settings, serviceUp: backend.isUp },
    perform: backend.perform,
    platform: (name) => channels.platform(name),
    ids: () => new StepIds(),
    limits: {
      concurrency: Math.max(CONCURRENCY, TURNS_PER_CALL * config.antcrm.maxCalls),
      ...options.limits,
    },
    onNotice: notices.onNotice,
  });
  const { accept, schedule: onFiled } = engine;
  const onFault = (fault: RecordFault, conversation: string): void => observe.alarm(fault, { conversation });
  const operators = new Operators({ ...core, readState, onFiled, onFault });
  const tickets = createTickets({ ...core, operators });

  const parts = { accept, commands, words, guard: http.guard, photoReader, feed: stores.feed, tickets };
  const {
    answers,
    settings: { handover },
  } = config;
  const given = { answers, handover, sandboxed: backend.sandbox !== undefined };
  await channels.open(config, { ...core, ...parts, ...given }, { http, wrap: around.channel });
  channels.mount(http, spans);
  mountRoutes({ ...core, config, http, channels, words, gifts, metrics, operators, backend });
  await http.ready();

  return {
    /** Everything mounted, not yet listening; with `ADMIN_PORT` what is for platforms alone. */
    server: http.server,
    /** What is for staff and operators; the same one without `ADMIN_PORT`. */
    admin: http.admin,
    /** Rejects where a port is taken; `stop` then closes what was opened. */
    listen: http.listen,
    /** Once it listens: begins to work on what is due, registers webhooks. */
    async start(): Promise<void> {
      engine.start();
      await channels.start(observe.log);
    },
    /** Rejects with the reason where no message can be stored now. */
    checkStore: () => store.health(),
    channels,
    /**
     * Takes no more requests (they get 503), begins no call, finishes what AntCRM was asked for and tells the
     * customer, gives back the rest, then closes everything; within ten seconds.
     */
    async stop(): Promise<void> {
      const startMs = performance.now();
      http.turnAway();
      // Both go on to the end: while turns finish, their replies still need the channels' connections.
      await Promise.all([engine.stop(), channels.stop()]);
      await Promise.all([http.close(), channels.close(observe.log)]);
      const closing = [backend.close(), photoReader.close(), notices.close()];
      await Promise.all(closing.map((closed) => inTime(closed)));
      await inTime(stores.close());
      await inTime(spans.close(), STOP_MS - (performance.now() - startMs));
    },
  };
}
