/** Where Redis is and how it lets us in, as `REDIS_URL` says it. */
export type RedisAddress = {
  readonly tls: boolean;
  readonly login: Login;
  /** The number of the database; 0 unless told. */
  readonly db: number;
} & (
  | { readonly kind: 'server'; readonly server: HostPort }
  /** Some nodes of a Redis Cluster; they know the others. */
  | { readonly kind: 'cluster'; readonly nodes: readonly [HostPort, ...HostPort[]] }
  /** Sentinels that know who is the master of this name. `sentinelLogin` is for themselves: usually they want none. */
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly [HostPort, ...HostPort[]];
      readonly master: string;
      readonly sentinelLogin: Login;
    }
);

export type HostPort = { readonly host: string; readonly port: number };
export type Login = { readonly username?: string; readonly password?: string };

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * Reads `redis://[user:password@]host[:port][/db]`; several separated by commas are a Redis Cluster (scheme, login and
 * database are the first one's). `redis+sentinel://[user:password@]host[:port],…/master[/db]` names sentinels, with a
 * login for Redis itself; `?sentinelUsername=…&sentinelPassword=…` is the sentinels' own. `rediss` is TLS with all of
 * them. Null for anything else.
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  if (!isDecodable(text)) return null;
  return /^rediss?\+sentinel:/.test(text) ? parseSentinels(text) : parseServers(text);
}

/** A lone % would throw where a part is decoded. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The hosts and ports, for people; never a login. */
export function placesOf(address: RedisAddress): string {
  switch (address.kind) {
    case 'server':
      return written([address.server]);
    case 'cluster':
      return written(address.nodes);
    case 'sentinel':
      return `${address.master} of the sentinels ${written(address.sentinels)}`;
  }
}

const written = (nodes: readonly HostPort[]): string =>
  nodes.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(', ');

function parseServers(text: string): RedisAddress | null {
  const [head = '', ...rest] = text.split(',').map((part) => part.trim());
  const url = parseUrl(head);
  const others = rest.map((part) => parseUrl(part.includes('://') ? part : `redis://${part}`)?.server);
  if (url === null || !others.every((other) => other !== undefined)) return null;
  const { server, ...common } = url;
  if (others.length > 0) return { ...common, kind: 'cluster', nodes: [server, ...others] };
  return { ...common, kind: 'server', server };
}

function parseUrl(text: string) {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return null;
  return {
    server: hostPort(url, REDIS_PORT),
    login: accountOf(url),
    db: Number(url.pathname.slice(1)) || 0,
    tls: url.protocol === 'rediss:',
  };
}

const SENTINEL_URL =
  /^(?<scheme>rediss?)\+sentinel:\/\/(?:(?<login>[^/]*)@)?(?<hosts>[^/?#@]+)\/(?<master>[^/?#]+)(?:\/(?<db>\d{1,5}))?(?:\?(?<query>[^#]*))?$/;

function parseSentinels(text: string): RedisAddress | null {
  const { scheme, login = '', hosts = '', master = '', db, query } = SENTINEL_URL.exec(text)?.groups ?? {};
  const [first, ...others] = hosts.split(',').map((part) => hostPortOf(part.trim(), SENTINEL_PORT));
  const account = URL.parse(`redis://${login}@login`);
  const asked = new URLSearchParams(query);
  const strange = [...asked.keys()].some((name) => !/^sentinel(Username|Password)$/.test(name));
  if (!first || !others.every((other) => other !== null) || !account || strange) return null;
  return {
    kind: 'sentinel',
    sentinels: [first, ...others],
    master: decodeURIComponent(master),
    login: accountOf(account),
    sentinelLogin: loginOf(asked.get('sentinelUsername') ?? '', asked.get('sentinelPassword') ?? ''),
    db: Number(db ?? 0),
    tls: scheme === 'rediss',
  };
}

/** Null for what is no `host[:port]`. */
function hostPortOf(text: string, standard: number): HostPort | null {
  const url = URL.parse(`redis://${text}`);
  return url?.hostname ? hostPort(url, standard) : null;
}

function hostPort({ hostname, port }: URL, standard: number): HostPort {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || standard) };
}

/** An empty text is none. */
function loginOf(username: string, password: string): Login {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/** What a URL has before its @, percent-encoded. */
const accountOf = ({ username, password }: URL): Login =>
  loginOf(decodeURIComponent(username), decodeURIComponent(password));
