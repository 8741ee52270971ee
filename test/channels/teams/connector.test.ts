import { describe, expect, it } from 'vitest';
import { TEAMS_HOSTS, trustHosts } from '../../../src/channels/teams/address.ts';
import { CHAT, createBot } from './harness.ts';

const trust = trustHosts(
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
])('%s is trusted', (service) => {
  expect(trust(service)?.href).toBe(new URL(service).href);
});

it.each([
  ['a neighbour of the same suffix', 'https://evil.trafficmanager.net/'],
  ['a host that begins alike', 'https://smba.trafficmanager.net.evil.example/'],
  ['a user that looks like the host', 'https://smba.trafficmanager.net@evil.example/'],
  ['another port', 'https://smba.trafficmanager.net:8443/'],
  ['no encryption', 'http://smba.trafficmanager.net/'],
  ['the default port without encryption', 'http://default.example:443/'],
  ['the default port of the other scheme', 'https://localhost/'],
  ['a host of this machine that is not listed', 'http://localhost:3979/'],
  ['nothing', ''],
])('%s is not trusted', (_why, service) => {
  expect(trust(service)).toBeUndefined();
});

const place = { conversation: CHAT, address: {} };
const content = Buffer.from('a picture');

describe('a picture of Teams', () => {
  it('is fetched from the connector', async () => {
    const { channel, double } = await createBot();
    const url = double.keep('p1', content);
    expect(await channel.fetchPhoto?.(place, { url })).toEqual({ kind: 'fetched', bytes: content });
    expect(double.calls('GET')).toMatchObject([{ path: '/connector/v3/attachments/p1/views/original' }]);
  });

  it.each([
    'https://contoso.sharepoint.com/personal/picture.png',
    'https://evil.trafficmanager.net/v3/attachments/p1/views/original',
    'file:///etc/passwd',
    'p1',
  ])('is not fetched from %s', async (url) => {
    const { channel, double } = await createBot({ auth: 'on', serviceHosts: ['smba.trafficmanager.net'] });
    expect(await channel.fetchPhoto?.(place, { url })).toEqual({ kind: 'refused' });
    expect(double.granted).toEqual([]);
  });

  it.each([
    [{ status: 404 }, 'refused'],
    [{ status: 302 }, 'unavailable'],
    ['reset', 'unavailable'],
  ] as const)('where the connector answers %j is %s, and asked for once', async (fault, kind) => {
    const { channel, double } = await createBot();
    double.script(fault);
    expect(await channel.fetchPhoto?.(place, { url: double.keep('p1', content) })).toEqual({ kind });
    expect(double.calls('GET')).toHaveLength(1);
  });
});
