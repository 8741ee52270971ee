import { setTimeout as delay } from 'node:timers/promises';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { describeApi } from './docs.ts';
import { createGuard, limitStrangers } from './guard.ts';
import { People, type PeopleFile } from './people.ts';
import { notFound, problem, problemHandler, refuseBroken } from './problem.ts';
import { createSessions } from './session.ts';

/** How long a request may take to arrive, headers and body. */
const REQUEST_MS = 20_000;

export type ServerOptions = {
  /** How long a request may take to arrive. */
  readonly requestMs?: number | undefined;
  /** How often STAFF_PEOPLE is read. */
  readonly peopleMs?: number | undefined;
  /** Where log lines go; standard output unless told. */
  readonly log?: { write(line: string): void } | undefined;
  /** Fields that are added to each log line. */
  logFields?(): Record<string, string>;
};

/** The part of the configuration that the servers read. */
export type HttpSettings = {
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined: one server serves all routes. */
  readonly adminPort?: number | undefined;
  readonly logLevel: string;
  /** The proxies whose `X-Forwarded-For` is believed: addresses, ranges or a number of hops. */
  readonly trustProxy?: readonly string[] | number | undefined;
  readonly publicUrl?: string | undefined;
  readonly staffToken?: string | undefined;
  readonly staffPeople?: PeopleFile | undefined;
  /** Without `real` the sandbox is the backend: no real points can be spent. */
  readonly antcrm: { readonly real?: object | undefined };
};

/** `url` is for platforms, `adminUrl` for staff and operators. They are equal without `ADMIN_PORT`. */
export type Addresses = { readonly url: string; readonly adminUrl: string };

export type Http = Awaited<ReturnType<typeof createHttp>>;

/**
 * The servers, their limits and guards. `server` is for platforms and orchestrators, `admin` for staff,
 * operators and Prometheus: the same one without `ADMIN_PORT`.
 *
 * @example
 * const http = await createHttp(settings);
 * http.admin.get('/hello', { onRequest: http.guard.api }, async () => 'Hello');
 * const { url } = await http.listen();
 */
export async function createHttp(settings: HttpSettings, options: ServerOptions = {}) {
  const { staffToken: token, staffPeople, publicUrl, adminPort, antcrm } = settings;
  const { host, port } = settings.listen;
  const server = createServer(settings, options);
  const admin = adminPort === undefined ? server : createServer(settings, options);
  const servers = [...new Set([server, admin])];
  const refuseRequests = addRefusal(servers);
  await server.register(rateLimit, { global: false });
  const people = staffPeople && new People(staffPeople, { log: server.log, everyMs: options.peopleMs });
  const sessions = token === undefined ? undefined : createSessions(token, people);
  const access = {
    token,
    people,
    publicUrl,
    sandbox: antcrm.real === undefined,
    signedIn: sessions?.visitor,
  };
  const guard = createGuard(server, access);
  await describeApi(admin, guard);
  const preHandler = limitStrangers(server);
  for (const each of servers) each.setNotFoundHandler({ preHandler }, notFound);

  return {
    server,
    admin,
    log: server.log,
    /** Lets only staff pass. */
    guard,
    /** Sessions of browsers that signed in; undefined without a token. */
    sessions,
    /** What is wrong with STAFF_PEOPLE; undefined without it. */
    peopleFaults: people?.faults,
    /** Metrics need no token on `ADMIN_PORT`, which only operators can reach. */
    guardMetrics: admin === server ? guard.api : limitStrangers(server),
    /** Lets only holders of the operators' token pass. */
    guardOperators: (token: string) => createGuard(server, { realm: 'operator', token, sandbox: false }).api,
    /** A limit for requests without a secret; each limit has a counter. */
    createLimit: () => limitStrangers(server),
    async listen(): Promise<Addresses> {
      // The admin port first, so that metrics are served before messages arrive.
      if (adminPort !== undefined) await admin.listen({ host, port: adminPort });
      await server.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` });
      return { url: localUrl(server), adminUrl: localUrl(admin) };
    },
    /** Resolves once all routes are mounted. */
    ready: () => Promise.all(servers.map((each) => each.ready())),
    /** From now on requests get 503, so that another process takes them. Live and metrics still answer. */
    refuseRequests,
    async close(): Promise<void> {
      people?.close();
      await Promise.all(servers.map(closeServer));
    },
  };
}

/** Makes the function that has the servers refuse what comes from then on, except live and metrics. */
function addRefusal(servers: readonly FastifyInstance[]): () => void {
  let isStopping = false;
  for (const server of servers)
    server.addHook('onRequest', ({ url }, reply, next) => {
      if (!isStopping || url === '/health/live' || url === '/metrics') next();
      else problem(reply.header('connection', 'close'), 503, 'The server is stopping.');
    });
  return () => {
    isStopping = true;
  };
}

/** A server without routes, which answers errors as problem documents. */
export function createServer(
  { logLevel, trustProxy }: Pick<HttpSettings, 'logLevel' | 'trustProxy'>,
  { requestMs = REQUEST_MS, log, logFields: mixin = () => ({}) }: ServerOptions,
): FastifyInstance {
  const server = Fastify({
    logger: {
      level: logLevel,
      base: null,
      mixin,
      serializers: { err: describeError },
      ...(log && { stream: log }),
    },
    // A request line would contain conversation names and phones: requests are counted instead.
    logController: new LogController({ disableRequestLogging: true }),
    // Log lines have no request id, so only a route with its own level needs its own logger.
    childLoggerFactory: (logger, bindings, options) =>
      options.level === undefined ? logger : logger.child(bindings, options),
    // The limits use `request.ip`. `isLocal` uses only the socket's address, which no header can spoof.
    trustProxy: toTrust(trustProxy),
    // Staff's longest answer, escaped. Routes with larger bodies have their own limit.
    bodyLimit: 32 * 1024,
    requestTimeout: requestMs,
    connectionTimeout: 60_000,
    // By default Node looks for slow senders every 30 s, and gives headers a minute.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(requestMs / 4, 1000) },
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseBroken,
    // A path that cannot be decoded has no route, so the error handler is not called for it.
    frameworkErrors: (error, _request, reply) => void problem(reply, error.statusCode ?? 400, error.message),
  });
  server.setErrorHandler(problemHandler(server.log));
  return server;
}

/** The URL at which a program on this machine reaches the server. */
const localUrl = ({ listeningOrigin }: FastifyInstance): string =>
  listeningOrigin.replace(/127\.0\.0\.1|0\.0\.0\.0|\[::1?\]/, 'localhost');

/** Fastify ignores a bare hop count, which clients could spoof. The operator asserts that none can. */
function toTrust(trustProxy: HttpSettings['trustProxy']): NonNullable<FastifyServerOptions['trustProxy']> {
  if (trustProxy === undefined) return false;
  return typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy];
}

/** How long open requests may take after everything else has stopped. */
const LAST_REQUESTS_MS = 1000;

/** Node does not count an unused new connection as idle, so it is cut after `LAST_REQUESTS_MS`. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const late = setTimeout(() => server.server.closeAllConnections(), LAST_REQUESTS_MS);
  await server.close();
  clearTimeout(late);
}

/** How long a part may take to close. */
const CLOSE_MS = 500;

/** Waits at most `withinMs`: a part that hangs must not keep the process alive. */
export async function waitForClose(ending: Promise<void> | undefined, withinMs = CLOSE_MS): Promise<void> {
  const ended = new AbortController();
  await Promise.race([ending, delay(withinMs, undefined, ended).catch(() => {})]);
  ended.abort();
}

/** Name, code (`ECONNREFUSED`) and stack: other parts of an error may contain URLs and bodies. */
function describeError(error: unknown): { type: string; message: string; stack: string; code?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const stack = error.stack?.replace(error.message, '') ?? '';
  return { type: error.name, message: '', stack, ...(/^[A-Z][A-Z0-9_]{1,40}$/.test(code) && { code }) };
}
