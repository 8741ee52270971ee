import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import packageJson from '../package.json' with { type: 'json' };
import type { Channel, ChannelEntry } from './channels/channel.ts';
import { assertDistinct, openChannels } from './channels/open.ts';
import { createGuard } from './channels/shared/access.ts';
import { createLimits, limitStrangers } from './channels/shared/limits.ts';
import { notFound, problemHandler } from './channels/shared/problem.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import { consolePage } from './console/console.ts';
import { createConversation } from './conversation/conversation.ts';
import type { Flow } from './conversation/flow.ts';
import { flows } from './conversation/flows/index.ts';
import type { Wording } from './conversation/language/vocabulary.ts';
import { LOCALES, perLocale } from './conversation/message.ts';
import { describeApi } from './docs.ts';
import { type Dependency, health } from './health.ts';
import { createWords, WORDING } from './i18n.ts';
import { newIds } from './ids.ts';
import { type AntCrm, type AntCrmOptions, createAntCrm } from './loyalty/antcrm.ts';
import { limitGuessing } from './loyalty/guessing.ts';
import { createOperations } from './loyalty/operations.ts';
import { sandboxGifts } from './loyalty/sandbox/catalog.ts';
import { createSandbox } from './loyalty/sandbox/sandbox.ts';
import { createMetrics } from './metrics.ts';
import type { Observe } from './observe.ts';
import { closeServer, inTime, turnAwayRequests } from './stopping.ts';
import { openStore } from './store/open.ts';
import { createSeal } from './store/seal.ts';
import type { ConversationStore, StoreOptions } from './store/store.ts';
import { createTraces } from './turns/tracing.ts';
import { createTurns, type Limits } from './turns/turns.ts';

/** Turns at work at once, in this process; more where AntCRM may take more calls. */
const CONCURRENCY = 64;
/** A slow AntCRM must never starve help, cancel or accepting: it gets half of the concurrency at most. */
const CONCURRENCY_A_CALL = 2;

/** How long a request may take to arrive, headers and body. */
const REQUEST_MS = 20_000;

export type App = {
  /** Everything mounted, not yet listening. */
  readonly server: FastifyInstance;
  /** Once the server listens: begins to work on what is due, registers webhooks. */
  start(): Promise<void>;
  /** What the operator reads at the start, of each channel. `url`: where the bot listens. */
  greeting(url: string): readonly string[];
  /** What is out of order between the bot and a platform, by channel; only those that have faults. */
  faults(): ReadonlyMap<string, readonly string[]>;
  /**
   * Hears nothing more (new requests get 503), begins no call, finishes what AntCRM was asked for and tells the customer,
   * gives back the rest, then closes everything; within ten seconds.
   */
  stop(): Promise<void>;
};

/**
 * What is no setting. A program around the bot adds to it (`channels`, `flows`); the rest is for tests, such as those that wait for
 * leases to end.
 */
export type AppOptions = {
  /** Channels beside the app's own. */
  readonly channels?: readonly ChannelEntry<Config>[] | undefined;
  /** What the bot can do, in the order of its menu; unless told, what `conversation/flows/` has. */
  readonly flows?: readonly Flow[] | undefined;
  /** Wording beside `locales/*.json`, for flows that are not the bot's own. */
  readonly words?: Wording | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly mailbox?: StoreOptions | undefined;
  /** How long a request may take to arrive. */
  readonly requestMs?: number | undefined;
  /** Where log lines go; standard output unless told. */
  readonly log?: { write(line: string): void } | undefined;
  /** Puts something of the caller's between the parts and a port: fault tests attack there. */
  readonly around?: Partial<Around> | undefined;
};

export type Around = {
  mailbox(port: ConversationStore): ConversationStore;
  antcrm(port: AntCrm): AntCrm;
  channel(port: Channel): Channel;
};
const same = <Port>(port: Port): Port => port;

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const entries = [...CHANNELS, ...(options.channels ?? [])];
  const known = entries.map(({ traits }) => traits);
  assertDistinct(known);
  const server = createServer(config, options);
  const turnAway = turnAwayRequests(server);
  const metrics = createMetrics({ log: server.log });
  const { observe } = metrics;
  const seal = createSeal({
    key: config.keys.state,
    previous: config.keys.statePrevious,
    hashKey: config.keys.hash,
  });
  const wording = perLocale((locale) => ({ ...WORDING[locale], ...options.words?.[locale] }));
  const conversation = createConversation({ flows: options.flows ?? flows, wording });
  const words = createWords({
    timeZone: config.settings.timeZone,
    resources: wording,
    onMissing: (what) => observe.log.error({ what }, 'wording is missing in locales/'),
  });
  const around: Around = { mailbox: same, antcrm: same, channel: same, ...options.around };
  const store = await openStore(config.redis, options.mailbox, observe);
  const traced = entries.filter((entry) => entry.traced).map(({ traits }) => traits.name);
  const traces = createTraces(traced, conversation.understand);
  const backend = await openBackend(config, observe, traces.call);
  const antcrm = around.antcrm(backend.antcrm);
  const operations = createOperations({
    loyalty: { ...antcrm, accumulate: limitGuessing(antcrm.accumulate, observe) },
    contacts: config.antcrm.contacts,
    callTimeoutMs: config.antcrm.timeoutMs,
    observe,
  });
  const outlets = new Map<string, Channel>();
  const turns = createTurns({
    mailbox: traces.counting(around.mailbox(store.mailbox)),
    seal,
    conversation: {
      ...conversation,
      settings: { ...config.settings, gifts: backend.gifts },
      serviceUp: antcrm.isUp,
    },
    perform: operations.perform,
    outlet: (channel) => outlets.get(channel),
    ids: newIds,
    observe,
    limits: {
      concurrency: Math.max(CONCURRENCY, CONCURRENCY_A_CALL * config.antcrm.maxCalls),
      ...options.limits,
    },
    traces,
  });

  const sandboxed = backend.sandbox !== undefined;
  const { publicUrl, staffToken } = config;
  const limits = await createLimits(server);
  const guard = createGuard(limits, { token: staffToken, sandbox: sandboxed, publicUrl });
  await describeApi(server, { guard, version: packageJson.version });
  const { accept } = turns;
  const { feed, registrations, openQuota } = store;
  const { commands } = conversation;
  const ours = { sandboxed, commands, channels: known };
  const parts = { ...ours, accept, words, observe, guard, seal, feed, registrations, openQuota };
  const { channels, greeting } = await openChannels(entries, config, parts, () => limitStrangers(limits));
  for (const channel of channels) {
    outlets.set(channel.name, around.channel(channel));
    server.register(channel.plugin);
  }
  const languages = LOCALES.map((tag) => ({ tag, name: words.line({ key: `choice.language:${tag}` }, tag) }));
  server.register(consolePage(guard.page, known, languages));
  const all = [...outlets.values()];
  const watched = all.filter((channel) => channel.faults !== undefined);
  const dependencies: Dependency[] = [
    { name: 'store', needed: true, check: () => store.mailbox.health() },
    { name: 'antcrm', needed: false, check: async () => (antcrm.isUp() ? [] : ['AntCRM does not answer']) },
    ...watched.map((channel): Dependency => {
      return { name: channel.name, needed: false, check: async () => channel.faults?.() ?? [] };
    }),
  ];
  server.register(health(dependencies));
  server.get('/metrics', { onRequest: limitStrangers(limits) }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  if (backend.sandbox) {
    const { sandbox } = backend;
    server.register(
      async (scope) => {
        scope.addHook('onRequest', guard.api);
        scope.register(sandbox);
      },
      { prefix: '/sandbox' },
    );
  }
  server.setNotFoundHandler({ preHandler: limitStrangers(limits) }, notFound);
  await server.ready();

  return {
    server,
    async start() {
      turns.start();
      await Promise.all(all.map((channel) => channel.start?.()));
    },
    greeting,
    faults: () =>
      new Map(
        watched
          .map((channel) => [channel.name, channel.faults?.() ?? []] as const)
          .filter(([, faults]) => faults.length > 0),
      ),
    async stop() {
      turnAway.begin();
      // Both go on to the end: while turns finish, their replies still need the channels' connections.
      await Promise.all([turns.stop(), ...all.map((channel) => channel.stop?.())]);
      await Promise.all([closeServer(server), ...all.map((channel) => inTime(channel.close?.()))]);
      await inTime(backend.close());
      await inTime(store.close());
    },
  };
}

function createServer(
  { logLevel, trustProxy }: Config,
  { requestMs = REQUEST_MS, log }: AppOptions,
): FastifyInstance {
  const server = Fastify({
    logger: { level: logLevel, base: null, serializers: { err: describeError }, ...(log && { stream: log }) },
    // A request line carries conversation names and, in queries, phones: what matters is counted instead.
    logController: new LogController({ disableRequestLogging: true }),
    // Requests are told apart in no line: only a route with a level of its own needs a logger of its own.
    childLoggerFactory: (logger, bindings, options) =>
      options.level === undefined ? logger : logger.child(bindings, options),
    // For `request.ip`, by which strangers are counted. Who is on this machine, the socket alone says (channels/shared/limits.ts).
    trustProxy: trusting(trustProxy),
    bodyLimit: 256 * 1024,
    requestTimeout: requestMs,
    connectionTimeout: 60_000,
    // Node looks for slow senders every 30 s unless told, and gives headers alone a minute.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(requestMs / 4, 1000) },
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  server.setErrorHandler(problemHandler(server.log));
  return server;
}

/**
 * Fastify believes nobody by a mere number of hops, for whoever reaches the bot past its proxies could then name any
 * address. The operator who gives a number has closed that way (SECURITY.md).
 */
function trusting(trustProxy: Config['trustProxy']): NonNullable<FastifyServerOptions['trustProxy']> {
  if (trustProxy === undefined) return false;
  return typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy];
}

/** Name, code and stack, never the message or the error's own fields: those may carry URLs, headers and bodies. */
function describeError(error: unknown): { type: string; message: string; stack: string; code?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' };
  const code = codeOf(error);
  const stack = error.stack?.replace(error.message, '') ?? '';
  return { type: error.name, message: '', stack, ...(code && { code }) };
}

/** A word such as `ECONNREFUSED`; whatever else a library calls a code might be anything. */
function codeOf(error: Error): string | undefined {
  const isWord =
    'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code);
  return isWord ? String(error.code) : undefined;
}

type Backend = {
  readonly antcrm: AntCrm;
  readonly gifts: NonNullable<Config['gifts']>;
  /** The embedded AntCRM, where no real one is configured. */
  readonly sandbox?: ReturnType<typeof createSandbox>;
  close(): Promise<void>;
};

async function openBackend(
  { antcrm: { real, timeoutMs, maxCalls, contacts }, gifts }: Config,
  observe: Observe,
  onCall: AntCrmOptions['onCall'],
): Promise<Backend> {
  const common = { timeoutMs, contacts, firstPage: 1, maxCalls, observe, onCall };
  if (real) {
    const antcrm = createAntCrm({ ...common, ...real });
    return { antcrm, gifts: gifts ?? [], close: () => antcrm.close() };
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
    sandbox,
    async close() {
      await antcrm.close();
      await own.close();
    },
  };
}
