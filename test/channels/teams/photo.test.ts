import { describe, expect, it } from 'vitest';
import { MAX_PHOTO_BYTES } from '../../../src/conversation/photo.ts';
import { CHAT, createBot } from './harness.ts';

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
    'http://smba.trafficmanager.net/v3/attachments/p1/views/original',
    'https://smba.trafficmanager.net@evil.example/p1',
    'https://smba.trafficmanager.net.evil.example/p1',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    'p1',
  ])('is not fetched from %s', async (url) => {
    const { channel, double } = await createBot({ auth: 'on', serviceHosts: ['smba.trafficmanager.net'] });
    expect(await channel.fetchPhoto?.(place, { url })).toEqual({ kind: 'refused' });
    expect(double.granted).toEqual([]);
  });

  it('has at most 10 MB', async () => {
    const { channel, double } = await createBot();
    const most = double.keep('most', Buffer.alloc(MAX_PHOTO_BYTES));
    const more = double.keep('more', Buffer.alloc(MAX_PHOTO_BYTES + 1));
    expect(await channel.fetchPhoto?.(place, { url: most })).toMatchObject({ kind: 'fetched' });
    expect(await channel.fetchPhoto?.(place, { url: more })).toEqual({ kind: 'large' });
  });

  it.each([
    [{ status: 302 }, 'unavailable'],
    [{ status: 404 }, 'refused'],
    [{ status: 429 }, 'unavailable'],
    [{ status: 503 }, 'unavailable'],
    ['reset', 'unavailable'],
  ] as const)('where the connector answers %j is %s, and asked for once', async (fault, kind) => {
    const { channel, double } = await createBot();
    double.script(fault);
    expect(await channel.fetchPhoto?.(place, { url: double.keep('p1', content) })).toEqual({ kind });
    expect(double.calls('GET')).toHaveLength(1);
  });

  it('is given up where no answer comes in time', async () => {
    const { channel, double } = await createBot({ timeoutMs: 1000 });
    double.script('hang');
    expect(await channel.fetchPhoto?.(place, { url: double.keep('p1', content) })).toEqual({
      kind: 'unavailable',
    });
  });
});
