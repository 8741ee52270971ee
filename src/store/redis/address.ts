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

const REDIS_URL =
  /^(?<scheme>rediss?)(?<sentinel>\+sentinel)?:\/\/(?:(?<login>[^/]*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#@]*))?$/;
/** What may stand before each further host: it says what the first one's says. */
const AGAIN = /,\s*rediss?:\/\/(?:[^@,/]*@)?/g;

/**
 * Reads `redis://[user:password@]host[:port][/db]`; several separated by commas are a Redis Cluster.
 * `redis+sentinel://[user:password@]host[:port],…/master[/db]` names sentinels, with a login for Redis itself;
 * `?sentinelUsername=…&sentinelPassword=…` is the sentinels' own. `rediss` is TLS with all of them. Null for anything else.
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  const parts = REDIS_URL.exec(text.replace(AGAIN, ','))?.groups;
  if (parts === undefined || !isDecodable(text)) return null;
  const { scheme, sentinel, login = '', hosts = '', path = '', query } = parts;
  const [first, ...others] = hosts.split(',').map((part) => hostPort(part.trim(), sentinel ? 26_379 : 6379));
  const account = URL.parse(`redis://${login}@login`);
  if (!first || !others.every((other) => other !== null) || account === null) return null;
  const [master = '', db = ''] = sentinel ? path.split('/', 2) : ['', path];
  if (!/^\d{0,5}$/.test(db)) return null;
  const { username, password } = account;
  const common = {
    tls: scheme === 'rediss',
    login: loginOf(decodeURIComponent(username), decodeURIComponent(password)),
    db: Number(db),
  };
  if (sentinel) {
    const asked = new URLSearchParams(query);
    const strange = [...asked.keys()].some((name) => !/^sentinel(Username|Password)$/.test(name));
    if (master === '' || strange) return null;
    return {
      ...{ ...common, kind: 'sentinel', sentinels: [first, ...others], master: decodeURIComponent(master) },
      sentinelLogin: loginOf(asked.get('sentinelUsername') ?? '', asked.get('sentinelPassword') ?? ''),
    };
  }
  if (others.length > 0) return { ...common, kind: 'cluster', nodes: [first, ...others] };
  return { ...common, kind: 'server', server: first };
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

/** Null for what is no `host[:port]`. */
function hostPort(text: string, standard: number): HostPort | null {
  const url = URL.parse(`redis://${text}`);
  if (!url?.hostname) return null;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || standard) };
}

/** An empty text is none. */
function loginOf(username: string, password: string): Login {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
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
