import Fastify, { type FastifyPluginAsync } from 'fastify';
import packageJson from '../package.json' with { type: 'json' };
import { assertDistinct, type Channel, type ChannelEntry, openChannels } from './channels/channel.ts';
import { STAFF_SECURITY, STAFF_TAG } from './channels/staff/schemas.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import { consolePage } from './console/console.ts';
import type { Gift, Settings } from './conversation/context.ts';
import { createConversation } from './conversation/conversation.ts';
import type { Flow } from './conversation/flow.ts';
import { flows } from './conversation/flows/index.ts';
import type { LanguageText } from './conversation/language/vocabulary.ts';
import { LOCALES, perLocale, type Wording } from './conversation/message.ts';
import { createEngine } from './engine/engine.ts';
import type { Limits } from './engine/limits.ts';
import { createOperators } from './engine/operators.ts';
import { createTraces } from './engine/trace.ts';
import { realWorld } from './engine/world.ts';
import { describeApi } from './http/docs.ts';
import { createGuard, createLimits, limitStrangers } from './http/guard.ts';
import { health } from './http/health.ts';
import { notFound } from './http/problem.ts';
import {
  closeServer,
  createServers,
  inTime,
  listen,
  type ServerOptions,
  turnAwayRequests,
} from './http/server.ts';
import { createSessions } from './http/session.ts';
import { createHook, createTransport } from './http/transport.ts';
import { createWords, SAYINGS, WORDING } from './i18n.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import { createLoyalty, type LoyaltyOptions } from './loyalty/loyalty.ts';
import { createNotices } from './notices.ts';
import type { Log } from './observability/log.ts';
import { createMetrics } from './observability/metrics.ts';
import { createSpans, openTraces, spannedWebhooks } from './observability/tracing.ts';
import type { Watchdog } from './observability/watchdog.ts';
import { readBacklog } from './operators/backlog.ts';
import { createDecisions, operatorRoutes } from './operators/routes.ts';
import { createTickets } from './operators/tickets.ts';
import { createPhotoReader, type PhotoReaderOptions } from './photos/reader.ts';
import { sandboxCodePrefixes, sandboxGifts } from './sandbox/catalog.ts';
import { createSandbox } from './sandbox/sandbox.ts';
import { createCanary, createEncryption } from './store/encryption.ts';
import { openStore } from './store/open.ts';
import type { RecordStore } from './store/port.ts';

/** How long what is closed may take to end, and of a whole stop; what is left at the end is for the last spans. */
const CLOSE_MS = 500;
const STOP_MS = 9_500;

/** Turns at work at once, in this process; more where AntCRM may take more calls. */
const CONCURRENCY = 64;
/** A slow AntCRM must never starve help, cancel or accepting: it gets half of the concurrency at most. */
const CONCURRENCY_A_CALL = 2;

export type App = Awaited<ReturnType<typeof createApp>>;

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
  /** Told whose turn is at work. */
  readonly watchdog?: Watchdog | undefined;
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
export async function createApp(config: Config, options: AppOptions = {}) {
  const entries = [...CHANNELS, ...(options.channels ?? [])];
  const known = entries.map(({ traits }) => traits);
  assertDistinct(known);
  let spans = createSpans();
  const servers = createServers(config, options, () => spans.fields());
  const { server, admin } = servers;
  const turnAway = turnAwayRequests(servers.all);
  const metrics = createMetrics({ log: server.log });
  const { observe } = metrics;
  const { tracesEndpoint } = config;
  const traced = tracesEndpoint === undefined ? undefined : await openTraces(tracesEndpoint, observe.log);
  if (traced) spans = createSpans(traced.tracer);
  const keys = { key: config.keys.state, previous: config.keys.statePrevious, hashKey: config.keys.hash };
  const encryption = createEncryption(keys);
  const { conversation, words } = openConversation(config, options, observe.log);
  const { commands, readState, explain } = conversation;
  const around: Around = { store: same, antcrm: same, channel: same, ...options.around };
  const stores = await openStore(config.redis, createCanary(keys), observe);
  const { records, feed } = stores;
  const store = around.store(records);
  const tracedNames = entries.filter((entry) => entry.traced).map(({ traits }) => traits.name);
  const traces = createTraces(tracedNames, (text, before, sender) =>
    explain(text, before, { settings, nowMs: Date.now(), sender }),
  );
  const backend = await openBackend(config, { observe, spans, onCall: traces.call, around: around.antcrm });
  const { loyalty, sandbox, gifts, codePrefixes } = backend;
  const settings: Settings = { ...config.settings, gifts, codePrefixes };
  const photoReader = createPhotoReader(options.photos);
  const hook =
    config.handoverWebhook === undefined
      ? undefined
      : createHook(config.handoverWebhook, () => observe.log.warn({}, 'HANDOVER_WEBHOOK did not answer'));
  const platforms = new Map<string, Channel>();
  const { watchdog } = options;
  const step: typeof conversation.step = (state, input, context) => {
    watchdog?.enter(spans.conversation());
    try {
      return conversation.step(state, input, context);
    } finally {
      watchdog?.leave();
    }
  };
  const engine = createEngine({
    store,
    encryption,
    conversation: { ...conversation, step, settings, serviceUp: loyalty.isUp },
    // Log lines are about its operation, traced or not.
    perform: (effect, context) => {
      const operation = 'operation' in effect ? effect.operation : undefined;
      return spans.around('perform', { effect: effect.kind, operation }, async () => {
        const outcome = await loyalty.perform(effect, context);
        spans.note({ outcome: outcome.kind === 'checked' ? outcome.found : outcome.kind });
        return outcome;
      });
    },
    photoReader,
    platform: (channel) => platforms.get(channel),
    ids: () => new StepIds(),
    observe,
    limits: {
      concurrency: Math.max(CONCURRENCY, CONCURRENCY_A_CALL * config.antcrm.maxCalls),
      ...options.limits,
    },
    traces,
    spans,
    onNotice: createNotices(observe, (opened, conversation) => hook?.tell(conversation, opened)),
  });
  const operators = createOperators({
    ...{ store: records, encryption, readState, onFiled: engine.schedule },
    onFault: (fault, record) => observe.alarm(fault, { conversation: record }),
  });

  const sandboxed = sandbox !== undefined;
  const { publicUrl, staffToken } = config;
  const limits = await createLimits(server);
  const sessions = staffToken === undefined ? undefined : createSessions(staffToken, Date.now);
  const access = { token: staffToken, sandbox: sandboxed, publicUrl, isSignedIn: sessions?.has };
  const guard = createGuard(limits, access);
  const parts = {
    ...{ accept: engine.accept, commands, words, observe, guard, photoReader, encryption, feed },
    ...{ sandboxed, channels: known, handover: config.settings.handover, answers: config.answers },
    tickets: createTickets({ store: records, operators, world: realWorld }),
  };
  const opened = await openChannels(entries, config, parts, () => limitStrangers(limits));
  for (const channel of opened.channels) {
    const { name, plugin } = channel;
    platforms.set(name, around.channel(channel));
    if (plugin) server.register(spannedWebhooks(plugin, name, spans));
  }

  // What is for staff, operators and Prometheus. Only operators reach a port of their own: metrics need no token there.
  const api = { version: packageJson.version, tag: STAFF_TAG, security: STAFF_SECURITY };
  await describeApi(admin, { guard, ...api });
  for (const { name, staffPlugin } of opened.channels)
    if (staffPlugin) admin.register(spannedWebhooks(staffPlugin, name, spans));
  const languages = LOCALES.map((tag) => ({ tag, name: words.line({ key: `choice.language:${tag}` }, tag) }));
  const images = gifts.flatMap(({ image }) => image ?? []);
  admin.register(consolePage(guard, { roles: known, languages, images, sessions }));
  const onRequest = admin === server ? guard.api : limitStrangers(limits);
  admin.get('/metrics', { onRequest }, async (_request, reply) => {
    const watched = { health: records.health, backlog: () => readBacklog(records) };
    return reply.type(metrics.contentType).send(await metrics.text(watched));
  });
  if (config.operatorToken !== undefined) {
    const routes = operatorRoutes({
      guard: createGuard(limits, { realm: 'operator', token: config.operatorToken, sandbox: false }).api,
      operators,
      decisions: createDecisions(records, encryption),
      channels: known,
      checksMs: config.settings.operationChecksMs,
      log: observe.log,
      nowMs: Date.now,
    });
    admin.register(routes);
  }
  if (sandbox) {
    const guarded: FastifyPluginAsync = async (scope) => {
      scope.addHook('onRequest', guard.api);
      scope.register(sandbox);
    };
    admin.register(guarded, { prefix: '/sandbox' });
  }

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
    /** Everything mounted, not yet listening; with `ADMIN_PORT` what is for platforms alone. */
    server,
    /** What is for staff and operators; the same one without `ADMIN_PORT`. */
    admin,
    /** Listens as the configuration says. Rejects where a port is taken; `stop` then closes what was opened. */
    listen: () => listen(servers, config),
    /** Once it listens: begins to work on what is due, registers webhooks. */
    async start(): Promise<void> {
      engine.start();
      await Promise.all(
        all.map(async (channel) => {
          await channel.start?.();
          observe.log.info({ channel: channel.name }, 'channel started');
        }),
      );
    },
    /** Why no message can be stored now; undefined: one can. */
    storeFault: () =>
      records.health().then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : 'the store is out of order'),
      ),
    /** What the operator reads at the start, of each channel. */
    greeting: opened.greeting,
    /** What is out of order between the bot and a platform, by channel. */
    faults: (): ReadonlyMap<string, readonly string[]> =>
      new Map(all.map((channel) => [channel.name, channel.faults?.() ?? []])),
    /**
     * Takes no more requests (they get 503), begins no call, finishes what AntCRM was asked for and tells the customer, gives
     * back the rest, then closes everything; within ten seconds.
     */
    async stop(): Promise<void> {
      const startMs = performance.now();
      turnAway();
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

/** Crockford's base32: no letter that can be taken for a digit, so that a reference can be read out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Unguessable, five bits a letter: an operation's id is also the reference that the customer is given; a view's tells one
 * question of a conversation from another.
 */
function randomBase32(length: number): string {
  let text = '';
  for (const byte of realWorld.bytes(length)) text += ALPHABET[byte & 31];
  return text;
}

/** Ids of one step, made when they are asked for: most steps need none. */
class StepIds {
  #operation: string | undefined;
  #view: string | undefined;

  get operation(): string {
    this.#operation ??= randomBase32(10);
    return this.#operation;
  }

  get view(): string {
    this.#view ??= randomBase32(6);
    return this.#view;
  }
}

/** A connection that does not come about by then is surely none. */
const ANTCRM_CONNECT_MS = 2000;

/** What the bot calls AntCRM: a real one, or the sandbox that is part of the process. */
async function openBackend(
  { antcrm: { real, timeoutMs, maxCalls, contacts }, gifts, codePrefixes }: Config,
  watch: Pick<LoyaltyOptions, 'observe' | 'spans' | 'onCall' | 'around'>,
) {
  // It listens by itself, too: the bot reaches it over real HTTP whatever guards `/sandbox`, and until the last call ended.
  // Nobody else has the key of that port.
  const sandbox = real ? undefined : createSandbox();
  const apiKey = realWorld.id();
  const own = Fastify().addHook('onRequest', async ({ headers }, reply) =>
    headers.apikey === apiKey ? undefined : reply.code(401).send(),
  );
  if (sandbox) await own.register(sandbox);
  const at = real ?? { baseUrl: await own.listen({ host: '127.0.0.1', port: 0 }), apiKey };
  const { origin } = new URL(at.baseUrl);
  const transport = createTransport({ allows: (to) => to === origin, connectMs: ANTCRM_CONNECT_MS });
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
