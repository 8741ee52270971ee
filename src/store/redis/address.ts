/** The address and login of Redis, from `REDIS_URL`. An empty name or password counts as none. */
export type RedisAddress = {
  readonly tls: boolean;
  readonly login: Login;
  readonly db: number;
} & (
  | { readonly kind: 'server'; readonly server: HostPort }
  /** Some nodes of a Redis Cluster; they know the others. */
  | { readonly kind: 'cluster'; readonly nodes: readonly [HostPort, ...HostPort[]] }
  /** Sentinels that know the master of this name. `sentinelLogin` is their own. */
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly [HostPort, ...HostPort[]];
      readonly master: string;
      readonly sentinelLogin: Login;
    }
);
export type HostPort = { readonly host: string; readonly port: number };
export type Login = { readonly username: string; readonly password: string };

const REDIS_URL = new RegExp(
  '^(?<scheme>rediss?)(?<sentinel>\\+sentinel)?://(?:(?<login>[^/]*)@)?' +
    '(?<hosts>[^/?#@]+)(?:/(?<path>[^?#]*))?(?:\\?(?<query>[^#@]*))?$',
);

/** Further hosts may repeat scheme and login of the first one. */
const REPEATED = /,\s*rediss?:\/\/(?:[^@,/]*@)?/g;

/**
 * Reads `redis://[user:password@]host[:port][/db]`; several hosts separated by commas are a Redis Cluster.
 * `redis+sentinel://[user:password@]host[:port],…/master[/db]` names sentinels, with a login for Redis
 * itself; `?sentinelUsername=…&sentinelPassword=…` is the sentinels' own. `rediss` is TLS with all of them.
 * Null for anything else.
 *
 * @example
 * parseRedisUrl('redis://a:7000,b:7001'); // { kind: 'cluster', nodes: [{ host: 'a', port: 7000 }, …], … }
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  try {
    return readAddress(text);
  } catch {
    return null;
  }
}

/** Throws for text that is no address. */
function readAddress(text: string): RedisAddress {
  const parts = REDIS_URL.exec(text.replace(REPEATED, ','))?.groups;
  const { scheme, sentinel, login = '', hosts = '', path = '', query } = parts ?? {};
  const standardPort = sentinel ? 26_379 : 6379;
  const [first, ...others] = hosts.split(',').map((part) => parseHost(part.trim(), standardPort));
  const [master = '', db = ''] = sentinel ? path.split('/', 2) : ['', path];
  if (first === undefined || !/^\d{0,5}$/.test(db)) throw new TypeError('no host, or no database');
  const { username, password } = new URL(`redis://${login}@login`);
  const account = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  const common = { tls: scheme === 'rediss', login: account, db: Number(db) };
  if (sentinel) {
    const {
      sentinelUsername = '',
      sentinelPassword = '',
      ...unknown
    } = Object.fromEntries(new URLSearchParams(query));
    if (master === '' || Object.keys(unknown).length > 0) throw new TypeError('no master');
    const sentinelLogin = { username: sentinelUsername, password: sentinelPassword };
    const named = { master: decodeURIComponent(master), sentinelLogin };
    return { ...common, kind: 'sentinel', sentinels: [first, ...others], ...named };
  }
  if (others.length > 0) return { ...common, kind: 'cluster', nodes: [first, ...others] };
  return { ...common, kind: 'server', server: first };
}

/** Throws for text that is no `host[:port]`. */
function parseHost(text: string, standardPort: number): HostPort {
  const { hostname, port } = new URL(`redis://${text}`);
  if (hostname === '') throw new TypeError('no host');
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || standardPort) };
}

/** The hosts and ports for people, without any login. */
export function placesOf(address: RedisAddress): string {
  const format = (nodes: readonly HostPort[]): string =>
    nodes.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(', ');
  if (address.kind === 'server') return format([address.server]);
  if (address.kind === 'cluster') return format(address.nodes);
  return `${address.master} of the sentinels ${format(address.sentinels)}`;
}
