/**
 * Microsoft's Teams connectors: the public cloud, and the American government's (GCC, GCC High, DoD). Exact names, since
 * anybody can have a name under `trafficmanager.net`.
 */
export const TEAMS_HOSTS: readonly string[] = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
];

/** Which connectors may get our token, and what customers are told. */
export type Hosts = { trusts(service: string): boolean };

/**
 * `trusted`: exact hosts, `host` or `host:port`. Only https, but for hosts of this machine; `anyLocal` trusts all of
 * those, where there is no token to lose.
 */
export function createHosts(trusted: readonly string[], anyLocal: boolean): Hosts {
  const exact = new Set(trusted.map((host) => host.toLowerCase()));
  return {
    trusts(service) {
      const url = URL.parse(service);
      // Paths are appended to it: behind a `?` or `#`, even a bare one, they would count for nothing.
      if (!url || /[?#]/.test(service) || `${url.username}${url.password}` !== '') return false;
      const isLocal = LOCAL.test(url.hostname);
      const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
      return isSafe && (exact.has(url.host) || exact.has(withPort(url)) || (anyLocal && isLocal));
    },
  };
}

/** The root of a host as `createHosts` takes it. */
export function urlOf(host: string): string {
  const isLocal = LOCAL.test(URL.parse(`http://${host}`)?.hostname ?? '');
  return `${isLocal ? 'http' : 'https'}://${host}/`;
}

/** `host:443`: a URL does not tell its scheme's own port. */
function withPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
