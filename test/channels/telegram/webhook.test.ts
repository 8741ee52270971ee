import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { TelegramOptions } from '../../../src/channels/telegram/telegram.ts';
import { MAX_PHOTO_BYTES } from '../../../src/conversation/message.ts';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { readSamples, recordedSchema } from '../../support/samples.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { kindsOf } from '../harness.ts';
import { createBot, SECRET } from './harness.ts';

const minh = createPerson(42);
const PROBLEM = 'application/problem+json; charset=utf-8';

/** A bot, and how it answers what is posted as Telegram does; `secret` null: without one. */
async function createHook(options: Partial<TelegramOptions> = {}) {
  const bot = await createBot(options);
  async function post(sent: object | string, secret: string | null = SECRET, type = 'application/json') {
    const shown = secret === null ? {} : { 'x-telegram-bot-api-secret-token': secret };
    const headers = { 'content-type': type, ...shown };
    const payload = typeof sent === 'string' ? sent : JSON.stringify(sent);
    return bot.app.inject({ method: 'POST', url: '/webhooks/telegram', headers, payload });
  }
  return { ...bot, post };
}

describe('POST /webhooks/telegram', () => {
  it('answers 200 with an empty body once the message is stored', async () => {
    const stored = Promise.withResolvers<'accepted'>();
    const accept = vi.fn(() => stored.promise);
    const { post } = await createHook({ accept });
    const answer = post(minh.writes('hi'));
    expect(await Promise.race([answer, delay(100)])).toBeUndefined();
    stored.resolve('accepted');
    expect(await answer).toMatchObject({ statusCode: 200, payload: '' });
    expect(accept).toHaveBeenCalledExactlyOnceWith(expect.anything(), 1_790_000_000_000);
  });

  it.each(['wrong', '', `${SECRET}x`, null])(
    'answers 401 to the secret %j, whatever the body',
    async (secret) => {
      const { post, accepted, observed } = await createHook();
      for (const body of [minh.writes('hi'), '{', 'x'.repeat(300 * 1024)]) {
        const { statusCode, headers } = await post(body, secret);
        expect([statusCode, headers['content-type']]).toEqual([401, PROBLEM]);
      }
      expect(accepted).toEqual([]);
      expect(observed).toContain('["update","telegram","refused"]');
    },
  );

  it.each([
    ['no JSON', '{', 400],
    ['a form', 'update_id=1', 400, 'application/x-www-form-urlencoded'],
    ['an update_id that is no integer', '{"update_id":"7"}', 400],
    ['more than 256 KB', minh.writes('x'.repeat(257 * 1024)), 413],
  ])('answers %s as a problem', async (_what, body, status, type?: string) => {
    const { post } = await createHook();
    const { statusCode, headers } = await post(body, SECRET, type);
    expect([statusCode, headers['content-type']]).toEqual([status, PROBLEM]);
  });

  it('answers 503 with Retry-After while the message cannot be stored', async () => {
    const { post } = await createHook({ accept: () => Promise.reject(new StoreUnavailable('away')) });
    const { statusCode, headers } = await post(minh.writes('hi'));
    expect([statusCode, headers['retry-after']]).toEqual([503, '2']);
  });

  it('answers 200 if the inbox is full, and is absent while the bot polls', async () => {
    const full = await createHook({ accept: async () => 'full' });
    const polling = await createHook({ secret: undefined });
    const answers = await Promise.all([full, polling].map(({ post }) => post(minh.writes('hi'))));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404]);
  });

  it('reads the recorded updates as the right messages', async () => {
    const { channel, post, accepted } = await createHook();
    await channel.start?.();
    for (const { name, says, sent } of readSamples('replay/telegram.jsonl', recordedSchema)) {
      const { statusCode } = await post(JSON.stringify(sent));
      const kinds = kindsOf(accepted.splice(0));
      expect([name, statusCode, ...kinds]).toEqual([name, 200, ...(says === null ? [] : [says])]);
    }
  });
});

/** What is handed on of an update, by a bot that knows its name. */
async function read(body: object) {
  const { channel, post, accepted } = await createHook();
  await channel.start?.();
  await post(body);
  expect(accepted.length).toBeLessThanOrEqual(1);
  return accepted.length === 0 ? null : incomingSchema.parse(accepted[0]);
}
/** Without its id at Telegram. */
async function messageOf(body: object) {
  const message = (await read(body))?.message;
  if (!message || !('ref' in message)) return message;
  const { ref: _, ...rest } = message;
  return rest;
}

const remote = (file: string) => ({ kind: 'remote', at: { file } });
const sized = (file_id: string, width: number, file_size = 1000) => ({ file_id, width, file_size });

/** What Telegram tells by itself, and what people send: a part of each kind that a rule of names decides. */
const SERVICE = (
  'direct_message_price_changed checklist_tasks_done suggested_post_paid chat_owner_left new_chat_members invoice ' +
  'delete_chat_photo group_chat_created migrate_to_chat_id pinned_message successful_payment connected_website ' +
  'chat_background_set general_forum_topic_hidden giveaway unique_gift gift_upgrade_sent web_app_data'
).split(' ');
const SENT = (
  'text rich_message animation audio document paid_media photo sticker story video video_note voice contact dice ' +
  'poll location checklist hologram'
).split(' ');

describe('a private message', () => {
  it('becomes a text with its sender, its address and the update’s id', async () => {
    const update = minh.writes('tích điểm TIVInpmx8b98pfg');
    expect(await read(update)).toEqual({
      channel: 'telegram',
      conversation: '42',
      id: `u${update.update_id}`,
      message: { kind: 'text', text: 'tích điểm TIVInpmx8b98pfg', ref: expect.stringMatching(/^\d+$/) },
      sender: { channel: 'telegram', proof: 'contact', locale: 'vi', name: 'Garnacho Thong' },
      address: { chat: 42 },
    });
  });

  it.each([
    [{ language_code: 'en-GB' }, { locale: 'en' }],
    [{ language_code: 7 }, { locale: undefined }],
    [{ last_name: 'b'.repeat(200) }, { name: `Garnacho ${'b'.repeat(91)}` }],
    [{ first_name: undefined, last_name: undefined }, { name: undefined }],
    [{ first_name: '\u202eMinh\u0007', last_name: '\u200b' }, { name: 'Minh' }],
    [{ first_name: '\u200b\u202e', last_name: undefined }, { name: undefined }],
  ])('of a client with %j has the sender %j', async (profile, sender) => {
    expect((await read(createPerson(42, profile).writes('a')))?.sender).toMatchObject(sender);
  });

  it('that is edited names the message; a place that moves, and what others edit, is nothing', async () => {
    const message = {
      message_id: 5,
      from: { id: 42, is_bot: false },
      chat: { id: 42, type: 'private' },
      date: 1_790_000_000,
    };
    const edited = (more: object) => ({ update_id: 9, edited_message: { ...message, ...more } });
    const edit = await read(edited({ text: 'tích điểm TIVI02', edit_date: 1_790_000_009 }));
    expect(edit).toMatchObject({
      id: 'u9',
      conversation: '42',
      message: { kind: 'edit', of: '5', text: 'tích điểm TIVI02' },
    });
    const at = { edit_date: 1_790_000_009 };
    const nothing = [
      edited({ ...at, text: undefined, location: { latitude: 10.7, longitude: 106.6 } }),
      edited({ text: 'a' }),
      edited({ ...at, text: 'a', chat: { id: -100, type: 'group' } }),
      { update_id: 9, edited_channel_post: { text: 'a' } },
    ];
    for (const update of nothing) expect(await read(update)).toBeNull();
  });

  const start = (payload?: string) => ({ kind: 'start', payload });
  const picture = (file: string, more: object = {}) => ({
    media: [{ kind: 'picture', ...more, at: { file } }],
  });
  const photo = (file: string, more: object = {}) => ({
    kind: 'photo',
    pictures: [remote(file)],
    ...picture(file),
    ...more,
  });
  const unknown = { kind: 'unknown', what: 'other' };
  const file = (type: string, size = 9) => ({ file_id: 'd', mime_type: type, file_size: size });
  const most = MAX_PHOTO_BYTES;
  const pdf = 'application/pdf';
  const png = 'image/png';

  it.each<[content: object, message: object]>([
    [{ text: '/start@LoyaltyTestBot TIVInpmx8b98pfg' }, start('TIVInpmx8b98pfg')],
    [{ text: `/start _${Buffer.from('TIVI/001 é').toString('base64url')}` }, start('TIVI/001 é')],
    [{ text: '/start _' }, start()],
    [{ photo: [{ file_id: 'f' }], caption: 'TIVI01' }, photo('f', { caption: 'TIVI01' })],
    [
      { photo: [sized('s', 90), sized('l', 1280), sized('m', 320)] },
      photo('l', picture('l', { bytes: 1000 })),
    ],
    [{ photo: [sized('m', 320), sized('l', 1280, most + 1)] }, photo('m', picture('l', { bytes: most + 1 }))],
    [{ document: file(png) }, photo('d', picture('d', { bytes: 9 }))],
    [
      { document: file(png, most + 1) },
      { kind: 'photo', pictures: [{ kind: 'unreadable' }], ...picture('d', { bytes: most + 1 }) },
    ],
    [
      { document: file(pdf), caption: 'T' },
      { kind: 'text', text: 'T', media: [{ kind: 'file', bytes: 9, at: { file: 'd' } }] },
    ],
    [{ photo: [{}] }, unknown],
    [{ text: 5 }, unknown],
  ])('%j is read as %j', async (content, message) => {
    expect(await messageOf(minh.sends(content))).toEqual(message);
  });

  const sent = { file_id: 'f', file_size: 9 };
  const at = { file: 'f' };
  const place = { latitude: 10.772541, longitude: 106.698 };
  it.each<[content: object, what: string, media: object]>([
    [{ voice: sent }, 'voice', { kind: 'voice', bytes: 9, at }],
    [
      { audio: { ...sent, file_name: '../\u202eBài\u0000.mp3' } },
      'voice',
      { kind: 'voice', name: '..Bài.mp3', bytes: 9, at },
    ],
    [{ video_note: sent }, 'voice', { kind: 'video', bytes: 9, at }],
    [{ video: sent }, 'other', { kind: 'video', bytes: 9, at }],
    [
      { animation: sent, document: { ...sent, mime_type: 'video/mp4' } },
      'other',
      { kind: 'video', bytes: 9, at },
    ],
    [
      { document: { ...sent, file_name: 'hoá đơn.pdf' } },
      'other',
      { kind: 'file', name: 'hoá đơn.pdf', bytes: 9, at },
    ],
    [{ sticker: sent }, 'sticker', { kind: 'picture', bytes: 9, at }],
    [
      { sticker: { file_id: 's', is_animated: true, thumbnail: sent } },
      'sticker',
      { kind: 'picture', bytes: 9, at },
    ],
    [{ location: place }, 'other', { kind: 'place', name: '10.77254, 106.69800' }],
    [
      { location: place, venue: { location: place, title: 'Chợ Bến Thành' } },
      'other',
      { kind: 'place', name: 'Chợ Bến Thành (10.77254, 106.69800)' },
    ],
  ])('%j reaches staff as media', async (content, what, media) => {
    expect(await messageOf(minh.sends(content))).toEqual({ kind: 'unknown', what, media: [media] });
  });

  it('has at most a few sizes of its picture read, however many it lists', async () => {
    const sizes = [...Array(100).fill({ file_id: 'f' }), ...Array(9000).fill(0)];
    expect(await messageOf(minh.sends({ photo: sizes }))).toEqual(photo('f'));
  });
});

describe('a shared contact', () => {
  it.each([
    ['tied by Telegram to them, it is', minh.shares('84867123456'), true],
    ['somebody else’s', minh.shares('84867123456', { contact: { user_id: 43 } }), false],
    ['of nobody on Telegram', minh.shares('84867123456', { contact: { user_id: undefined } }), false],
    ['forwarded', minh.shares('84867123456', { message: { forward_origin: { type: 'user' } } }), false],
    ['forwarded, by an old server', minh.shares('84867123456', { message: { forward_date: 1 } }), false],
    ['sent through another bot', minh.shares('84867123456', { message: { via_bot: { id: 1 } } }), false],
    ['without a sender', minh.shares('84867123456', { message: { from: undefined } }), false],
  ])('is the sender’s own or not: %s', async (_why, update, own) => {
    expect(await messageOf(update)).toEqual({ kind: 'contact', phone: '84867123456', own });
  });
});

describe('a press', () => {
  const query = { id: 'q7', from: { id: 42 }, data: 'a~edit:phone~v3k' };
  const message = { message_id: 7, chat: { id: 42, type: 'private' } };
  it.each([
    [query, message, { query: 'q7', message: 7, view: 'v3k' }],
    [query, 5, { query: 'q7', view: 'v3k' }],
  ])('%j on the message %j goes to the chat, as a choice with its view', async (query, message, press) => {
    expect(await read({ update_id: 1, callback_query: { ...query, message } })).toMatchObject({
      conversation: '42',
      address: { chat: 42 },
      message: { kind: 'choice', choice: 'a~edit:phone', view: 'v3k' },
      press,
    });
  });

  it('counts as unreadable if its data is not from our buttons', async () => {
    expect(await messageOf(minh.presses('x'.repeat(65), 7))).toEqual({ kind: 'unknown', what: 'other' });
  });
});

describe('a group', () => {
  const group = { id: -100, type: 'supergroup', title: 'Hội' };
  const inGroup = (text: string, more: object = {}) => minh.sends({ chat: group, text, ...more });
  const TOPIC = { message_thread_id: 9, is_topic_message: true };

  it.each([
    ['a command', inGroup('/start')],
    ['a command with our name', inGroup('/start@loyaltytestbot')],
    ['a mention', inGroup('hi (@LoyaltyTestBot)')],
    ['a reply to us', inGroup('0867123456', { reply_to_message: { from: { id: 4242 } } })],
  ])('addresses the bot by %s, which is cut off the text', async (_how, update) => {
    expect(await read(update)).toMatchObject({ conversation: '-100', message: { kind: 'group' } });
  });

  it.each([
    ['talk', inGroup('tích điểm TIVInpmx8b98pfg')],
    ['a command of another bot', inGroup('/start@other_bot')],
    ['a mention of somebody else', inGroup('hi @LoyaltyTestBot2')],
    ['a reply to somebody else', inGroup('ok', { reply_to_message: { from: { id: 1 } } })],
    ['another bot', inGroup('/start', { from: { id: 9, is_bot: true } })],
  ])('does not address the bot by %s', async (_how, update) => {
    expect(await read(update)).toBeNull();
  });

  it('is answered in the topic that addressed the bot', async () => {
    expect((await read(inGroup('/start', TOPIC)))?.address).toEqual({ chat: -100, thread: 9 });
  });
});

it.each([
  ['passed over: what Telegram tells by itself', SERVICE, false],
  ['a message, read or not: what people send', SENT, true],
])('is %s', async (_what, parts, isMessage) => {
  const { post, accepted } = await createHook();
  for (const part of parts) {
    await post({ update_id: 1, message: { chat: { id: 42, type: 'private' }, [part]: {} } });
    expect([part, accepted.splice(0).length]).toEqual([part, isMessage ? 1 : 0]);
  }
});
