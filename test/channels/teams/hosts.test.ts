import { expect, it } from 'vitest';
import { createHosts, TEAMS_HOSTS } from '../../../src/channels/teams/hosts.ts';

const hosts = createHosts(
  [...TEAMS_HOSTS, 'Other.example:8443', '127.0.0.1:3979', 'default.example:443', 'localhost:80'],
  false,
);

it.each([
  'https://smba.trafficmanager.net/apac/',
  'https://SMBA.trafficmanager.net:443/teams',
  'https://other.example:8443/',
  'http://127.0.0.1:3979/connector',
  'https://default.example/',
  'https://default.example:443/',
  'http://localhost/',
])('%s is trusted', (service) => {
  expect(hosts.trusts(service)).toBe(true);
});

it.each([
  ['a neighbour of the same suffix', 'https://evil.trafficmanager.net/'],
  ['a host that begins alike', 'https://smba.trafficmanager.net.evil.example/'],
  ['a user that looks like the host', 'https://smba.trafficmanager.net@evil.example/'],
  ['a user before the host', 'https://user@smba.trafficmanager.net/'],
  ['another port', 'https://smba.trafficmanager.net:8443/'],
  ['no encryption', 'http://smba.trafficmanager.net/'],
  ['another scheme', 'ftp://smba.trafficmanager.net/'],
  ['a query', 'https://smba.trafficmanager.net/?x='],
  ['a bare query, behind which our path would count for nothing', 'https://smba.trafficmanager.net/any?'],
  ['a fragment', 'https://smba.trafficmanager.net/#x'],
  ['a bare fragment', 'https://smba.trafficmanager.net/any#'],
  ['the default port without encryption', 'http://default.example:443/'],
  ['the default port of the other scheme', 'https://localhost/'],
  ['a host of this machine that is not listed', 'http://localhost:3979/'],
  ['no URL', 'smba.trafficmanager.net'],
  ['nothing', ''],
])('%s is not trusted', (_why, service) => {
  expect(hosts.trusts(service)).toBe(false);
});

it('without a token to lose, every host of this machine is trusted, and no other', () => {
  const local = createHosts(TEAMS_HOSTS, true);
  expect(local.trusts('http://localhost:56150/_connector')).toBe(true);
  expect(local.trusts('http://[::1]:56150/')).toBe(true);
  expect(local.trusts('http://127.0.0.1.evil.example/')).toBe(false);
});
