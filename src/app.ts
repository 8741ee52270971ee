import type { FastifyInstance } from 'fastify';
import packageJson from '../package.json' with { type: 'json' };
import { mountAdmin } from './admin.ts';
import { openBackend } from './backend.ts';
import { assertDistinct, type Channel, type ChannelEntry, openChannels } from './channels/channel.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import type { Settings } from './conversation/context.ts';
import { createConversation } from './conversation/conversation.ts';
import type { Flow } from './conversation/flow.ts';
import { flows } from './conversation/flows/index.ts';
import type { LanguageText } from './conversation/language/words.ts';
import { perLocale, type Wording } from './conversation/message.ts';
import { readBacklog } from './engine/backlog.ts';
import { createEngine } from './engine/engine.ts';
import type { Limits } from './engine/limits.ts';
import { createOperators } from './engine/operators.ts';
import { createTickets } from './engine/tickets.ts';
import { createTraces } from './engine/trace.ts';
import { realWorld } from './engine/world.ts';
import { createGuard, createLimits, limitStrangers } from './http/guard.ts';
import { health } from './http/health.ts';
import { createHook } from './http/hook.ts';
import { notFound } from './http/problem.ts';
import {
  type Addresses,
  closeServer,
  createServers,
  inTime,
  listen,
  type ServerOptions,
  turnAwayRequests,
} from './http/server.ts';
import { createWords, SAYINGS, WORDING } from './i18n.ts';
import { newIds } from './ids.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import type { Log } from './observability/log.ts';
import { createMetrics } from './observability/metrics.ts';
import { createSpans, openTraces } from './observability/tracing.ts';
import { createDecisions } from './operators/routes.ts';
import { createPhotoReader, type PhotoReaderOptions } from './photos/reader.ts';
import { spannedAntCrm, spannedChannel, spannedPerform, spannedStep } from './spanned.ts';
import { createEncryption, createKeyChecks } from './store/encryption.ts';
import { openStore } from './store/open.ts';
import type { RecordStore } from './store/port.ts';

/** How long what is closed may take to end, and of a whole stop; what is left at the end is for the last spans. */
const CLOSE_MS = 500;
const STOP_MS = 9_500;

/** Turns at work at once, in this process; more where AntCRM may take more calls. */
const CONCURRENCY = 64;
/** A slow AntCRM must never starve help, cancel or accepting: it gets half of the concurrency at most. */
const CONCURRENCY_A_CALL = 2;

export type App = {
  /** Everything mounted, not yet listening; with `ADMIN_PORT` what is for platforms alone. */
  readonly server: FastifyInstance;
  /** What is for staff and operators; the same one without `ADMIN_PORT`. */
  readonly admin: FastifyInstance;
  /** Listens as the configuration says. Rejects where a port is taken; `stop` then closes what was opened. */
  listen(): Promise<Addresses>;
  /** Once it listens: begins to work on what is due, registers webhooks. */
  start(): Promise<void>;
  /** What the operator reads at the start, of each channel. */
  greeting(at: Addresses): readonly string[];
  /** What is out of order between the bot and a platform, by channel. */
  faults(): ReadonlyMap<string, readonly string[]>;
  /**
   * Takes no more requests (they get 503), begins no call, finishes what AntCRM was asked for and tells the customer, gives
   * back the rest, then closes everything; within ten seconds.
   */
  stop(): Promise<void>;
};

/**
 * What is no setting. A program around the bot adds to it (`channels`, `flows`); the rest is for tests, such as those
 * that wait for leases to end.
 */
export type AppOptions = ServerOptions & {
  /** Channels beside the app's own. */
  readonly channels?: readonly ChannelEntry<Config>[] | undefined;
  /** What the bot can do, in the order of its menu; unless told, what `conversation/flows/` has. */
  readonly flows?: readonly Flow[] | undefined;
  /** Wording beside `locales/*.json`, for flows that are not the bot's own. */
  readonly words?: Wording | undefined;
  /** What customers say beside `locales/*.md`. */
  readonly sayings?: readonly LanguageText[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly photos?: PhotoReaderOptions | undefined;
  /** Puts something of the caller's between the parts and a port: fault tests attack there. */
  readonly around?: Partial<Around> | undefined;
};

export type Around = {
  store(port: RecordStore): RecordStore;
  antcrm(port: AntCrmClient): AntCrmClient;
  channel(port: Channel): Channel;
};
const same = <Port>(port: Port): Port => port;

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const entries = [...CHANNELS, ...(options.channels ?? [])];
  const known = entries.map(({ traits }) => traits);
  assertDistinct(known);
  const traced = config.tracesEndpoint === undefined ? undefined : await openTraces(config.tracesEndpoint);
  const spans = createSpans(traced?.tracer);
  const servers = createServers(config, options, spans.fields);
  const { server, admin } = servers;
  const turnAway = turnAwayRequests(servers.all);
  const metrics = createMetrics({ log: server.log });
  const { observe } = metrics;
  traced?.reportTo(observe.log);
  const keys = { key: config.keys.state, previous: config.keys.statePrevious, hashKey: config.keys.hash };
  const encryption = createEncryption(keys);
  const { conversation, words } = openConversation(config, options, observe.log);
  const { commands, readState, step, understand, explain } = conversation;
  const around: Around = { store: same, antcrm: same, channel: same, ...options.around };
  const stores = await openStore(config.redis, createKeyChecks(keys), observe);
  const { records, feed, openQuota } = stores;
  const store = around.store(records);
  const tracedNames = entries.filter((entry) => entry.traced).map(({ traits }) => traits.name);
  const traces = createTraces(tracedNames, (text, before, sender) =>
    explain(text, before, { settings: settings(), nowMs: Date.now(), sender }),
  );
  const backend = await openBackend(config, {
    ...{ observe, onCall: traces.call },
    around: (antcrm) => spannedAntCrm(around.antcrm(antcrm), spans),
  });
  const { loyalty } = backend;
  const settings = (): Settings => ({
    ...config.settings,
    gifts: backend.gifts,
    codePrefixes: backend.codePrefixes,
  });
  const photoReader = createPhotoReader(options.photos);
  const hook =
    config.handoverWebhook === undefined
      ? undefined
      : createHook(config.handoverWebhook, () => observe.log.warn({}, 'HANDOVER_WEBHOOK did not answer'));
  const platforms = new Map<string, Channel>();
  const engine = createEngine({
    store,
    encryption,
    conversation: {
      ...conversation,
      step: spannedStep(step, spans),
      settings: settings(),
      serviceUp: loyalty.isUp,
    },
    perform: spannedPerform(loyalty.perform, spans),
    photoReader,
    platform: (channel) => platforms.get(channel),
    ids: () => newIds(),
    observe,
    limits: {
      concurrency: Math.max(CONCURRENCY, CONCURRENCY_A_CALL * config.antcrm.maxCalls),
      ...options.limits,
    },
    traces,
    spans,
    onTicket: ({ id, reason, openedMs }, channel) =>
      hook?.tell({ ticket: id, channel, reason, openedAt: new Date(openedMs).toISOString() }),
  });
  const operators = createOperators({ store: records, encryption, readState, onFiled: engine.waits });

  const sandboxed = backend.sandbox !== undefined;
  const { publicUrl, staffToken } = config;
  const limits = await createLimits(server);
  const guard = createGuard(limits, { token: staffToken, sandbox: sandboxed, publicUrl });
  const confirms = (text: string) => understand(text).act === 'yes';
  const parts = {
    accept: engine.accept,
    commands,
    confirms,
    words,
    observe,
    guard,
    photoReader,
    encryption,
    feed,
    openQuota,
    tickets: createTickets({ store: records, operators, world: realWorld }),
    handover: config.settings.handover,
    sandboxed,
    channels: known,
  };
  const opened = await openChannels(entries, config, parts, () => limitStrangers(limits));
  const channels = opened.channels.map((channel) => spannedChannel(channel, spans));
  for (const channel of channels) {
    platforms.set(channel.name, around.channel(channel));
    if (channel.plugin) server.register(channel.plugin);
  }
  await mountAdmin(admin, {
    guard,
    limits,
    metrics: {
      contentType: metrics.contentType,
      text: () => metrics.text({ health: records.health, backlog: () => readBacklog(records) }),
    },
    channels,
    roles: known,
    words,
    images: backend.gifts.flatMap(({ image }) => image ?? []),
    sandbox: backend.sandbox,
    operators:
      config.operatorToken === undefined
        ? undefined
        : {
            token: config.operatorToken,
            operators,
            decisions: createDecisions(records, encryption),
            channels: known,
            checksMs: config.settings.operationChecksMs,
            log: observe.log,
            nowMs: Date.now,
          },
    version: packageJson.version,
    apart: admin !== server,
  });
  const all = [...platforms.values()];
  const watched = all.filter((channel) => channel.faults !== undefined);
  server.register(
    health([
      { name: 'store', needed: true, check: () => records.health() },
      { name: 'antcrm', needed: false, check: async () => loyalty.faults() },
      ...watched.map((channel) => {
        return { name: channel.name, needed: false, check: async () => channel.faults?.() ?? [] };
      }),
    ]),
  );
  const preHandler = limitStrangers(limits);
  for (const one of servers.all) one.setNotFoundHandler({ preHandler }, notFound);
  await Promise.all(servers.all.map((one) => one.ready()));

  return {
    server,
    admin,
    listen: () => listen(servers, config),
    async start() {
      engine.start();
      await Promise.all(
        all.map(async (channel) => {
          await channel.start?.();
          observe.log.info({ channel: channel.name }, 'channel started');
        }),
      );
    },
    greeting: opened.greeting,
    faults: () => new Map(all.map((channel) => [channel.name, channel.faults?.() ?? []])),
    async stop() {
      const startMs = performance.now();
      turnAway.begin();
      // Both go on to the end: while turns finish, their replies still need the channels' connections.
      await Promise.all([engine.stop(), ...all.map((channel) => channel.stop?.())]);
      await Promise.all([
        ...servers.all.map(closeServer),
        ...all.map(async (channel) => {
          await inTime(channel.close?.(), CLOSE_MS);
          observe.log.info({ channel: channel.name }, 'channel stopped');
        }),
      ]);
      await Promise.all(
        [backend.close(), photoReader.close(), hook?.close()].map((closed) => inTime(closed, CLOSE_MS)),
      );
      await inTime(stores.close(), CLOSE_MS);
      await inTime(traced?.close(), STOP_MS - (performance.now() - startMs));
    },
  };
}

/** The conversation with its wording, and the words that channels render replies with. */
function openConversation({ answers, settings }: Config, options: AppOptions, log: Log) {
  const wording = perLocale((locale) => ({ ...WORDING[locale], ...options.words?.[locale] }));
  const words = createWords({
    timeZone: settings.timeZone,
    resources: wording,
    onMissing: (what) => log.error({ what }, 'wording is missing in locales/'),
  });
  const sayings = [...SAYINGS, ...(options.sayings ?? [])];
  const conversation = createConversation({ flows: options.flows ?? flows, wording, sayings, answers });
  return { conversation, words };
}
