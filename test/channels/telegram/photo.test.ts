import { describe, expect, it } from 'vitest';
import { MAX_PHOTO_BYTES } from '../../../src/conversation/message.ts';
import { CHAT, createBot } from './harness.ts';

const place = { conversation: String(CHAT), address: { chat: CHAT } };
const content = Buffer.from('a picture');

describe('a photo of Telegram', () => {
  it.each([
    '/var/lib/telegram-bot-api/4242/photos/file_7.jpg',
    'photos/../../bot4242/getMe',
    'photos/%2e%2e/file',
    'https://elsewhere.example/file.jpg',
    'photos/file.jpg?x=1',
    '',
  ])('is not fetched from %j', async (path) => {
    const { channel, double } = await createBot();
    double.keep('f1', content, path);
    expect(await channel.fetchPhoto?.(place, { file: 'f1' })).toEqual({ kind: 'refused' });
    expect(double.calls('file')).toEqual([]);
  });

  it('is fetched by the path that Telegram tells, and has at most 10 MB', async () => {
    const { channel, double } = await createBot();
    const bytes = Buffer.alloc(MAX_PHOTO_BYTES);
    double.keep('most', bytes, 'photos/file_7.jpg');
    double.keep('more', Buffer.alloc(MAX_PHOTO_BYTES + 1));
    expect(await channel.fetchPhoto?.(place, { file: 'most' })).toEqual({ kind: 'fetched', bytes });
    expect(await channel.fetchPhoto?.(place, { file: 'more' })).toEqual({ kind: 'large' });
  });

  it.each([
    ['getFile', { code: 400, description: 'Bad Request: file is too big' }, 'refused'],
    ['getFile', 'reset', 'unavailable'],
    ['file', { code: 404, description: 'Not Found' }, 'refused'],
    ['file', { code: 302, description: 'Found', headers: { location: '/file/elsewhere' } }, 'unavailable'],
    ['file', 'reset', 'unavailable'],
  ] as const)('where %s ends with %j is %s, and asked for once', async (method, fault, kind) => {
    const { channel, double } = await createBot();
    double.keep('f1', content);
    double.script(method, fault);
    expect(await channel.fetchPhoto?.(place, { file: 'f1' })).toEqual({ kind });
    expect(double.calls(method)).toHaveLength(1);
  });
});
