import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { comeLater, problem, problemHandler } from './problem.ts';

/** How long a request may take to arrive, headers and body. */
const REQUEST_MS = 20_000;

export type ServerOptions = {
  /** How long a request may take to arrive. */
  readonly requestMs?: number | undefined;
  /** Where log lines go; standard output unless told. */
  readonly log?: { write(line: string): void } | undefined;
};

/** The part of the configuration that servers read. */
export type ServerSettings = {
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined: one server is for all. */
  readonly adminPort: number | undefined;
  readonly logLevel: string;
  /** Addresses, ranges or how many hops; undefined: nobody's word is taken. */
  readonly trustProxy: readonly string[] | number | undefined;
};

/** Where the bot listens: for platforms, and for staff and operators. The same without `ADMIN_PORT`. */
export type Addresses = { readonly url: string; readonly adminUrl: string };

/** What each log line says beside its own fields. */
type LogFields = () => Record<string, string>;

/** A server without routes, which answers errors as problem documents. */
function createServer(
  { logLevel, trustProxy }: ServerSettings,
  { requestMs = REQUEST_MS, log }: ServerOptions,
  mixin: LogFields,
): FastifyInstance {
  const server = Fastify({
    logger: {
      level: logLevel,
      base: null,
      mixin,
      serializers: { err: describeError },
      ...(log && { stream: log }),
    },
    // A request line carries conversation names and, in queries, phones: what matters is counted instead.
    logController: new LogController({ disableRequestLogging: true }),
    // Requests are told apart in no line: only a route with a level of its own needs a logger of its own.
    childLoggerFactory: (logger, bindings, options) =>
      options.level === undefined ? logger : logger.child(bindings, options),
    // For `request.ip`, by which strangers are counted. Only the socket says whether a caller is on this machine
    // (guard.ts).
    trustProxy: trusting(trustProxy),
    bodyLimit: 256 * 1024,
    requestTimeout: requestMs,
    connectionTimeout: 60_000,
    // Node looks for slow senders every 30 s unless told, and gives headers alone a minute.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.min(requestMs / 4, 1000) },
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // A path that cannot be decoded, before there is a route whose error it could be.
    frameworkErrors: (error, _request, reply) => void problem(reply, error.statusCode ?? 400, error.message),
  });
  server.setErrorHandler(problemHandler(server.log));
  return server;
}

type Servers = ReturnType<typeof createServers>;

/**
 * `server` is for platforms and orchestrators, `admin` for staff, operators and Prometheus: the same one unless that has a
 * port of its own (`ADMIN_PORT`). `all`: each once.
 */
export function createServers(settings: ServerSettings, options: ServerOptions, logFields: LogFields) {
  const create = () => createServer(settings, options, logFields);
  const server = create();
  const admin = settings.adminPort === undefined ? server : create();
  return { server, admin, all: [...new Set([server, admin])] };
}

/** Both listen, or the call rejects. The admin port first: by the time that messages can come, they can be watched. */
export async function listen(
  { server, admin }: Servers,
  { listen: { host, port }, adminPort }: ServerSettings,
): Promise<Addresses> {
  if (adminPort !== undefined) {
    const listenTextResolver = (address: string) => `listening for staff and operators on ${address}`;
    await admin.listen({ host, port: adminPort, listenTextResolver });
  }
  await server.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` });
  return { url: localUrl(server, host), adminUrl: localUrl(admin, host) };
}

const LOCALHOST = ['127.0.0.1', '::1', '0.0.0.0', '::'];

/** Where a program on this machine reaches it. */
function localUrl(server: FastifyInstance, host: string): string {
  const address = server.server.address();
  const name = LOCALHOST.includes(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${typeof address === 'object' && address ? address.port : ''}`;
}

/**
 * Fastify believes nobody by a mere number of hops, for whoever reaches the bot past its proxies could then name any
 * address. The operator who gives a number has closed that way (SECURITY.md).
 */
function trusting(trustProxy: ServerSettings['trustProxy']): NonNullable<FastifyServerOptions['trustProxy']> {
  if (trustProxy === undefined) return false;
  return typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy];
}

/** Once what it returns is called, requests are answered 503: another process takes them. This one lives, and can be measured, until its end. */
export function turnAwayRequests(servers: readonly FastifyInstance[]): () => void {
  let begun = false;
  for (const server of servers) {
    server.addHook('onRequest', async ({ url }, reply) => {
      if (!begun || url === '/health/live' || url === '/metrics') return;
      return comeLater(reply.header('connection', 'close'), 503, 'The server is stopping.');
    });
  }
  return () => {
    begun = true;
  };
}

/** How long requests under way may take once everything else has stopped. */
const LAST_REQUESTS_MS = 1000;

/** Node does not take a connection for idle that a client opened in advance: such connections get a moment. */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const late = setTimeout(() => server.server.closeAllConnections(), LAST_REQUESTS_MS);
  await server.close();
  clearTimeout(late);
}

/** Waits for what ends, but not forever: what does not answer must not keep the process alive. */
export async function inTime(ending: Promise<void> | undefined, withinMs: number): Promise<void> {
  const enough = new AbortController();
  await Promise.race([ending, delay(Math.max(0, withinMs), undefined, enough).catch(() => {})]);
  enough.abort();
}

/**
 * Name, code and stack, never the message or the error's own fields: those may carry URLs, headers and bodies. A code is a
 * word such as `ECONNREFUSED`; whatever else a library calls a code might be anything.
 */
function describeError(error: unknown): { type: string; message: string; stack: string; code?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const stack = error.stack?.replace(error.message, '') ?? '';
  return { type: error.name, message: '', stack, ...(/^[A-Z][A-Z0-9_]{1,40}$/.test(code) && { code }) };
}
