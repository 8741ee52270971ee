import { describe, expect, it } from 'vitest';
import { botOf, parseUpdate, toIncoming } from '../../../src/channels/telegram/incoming.ts';
import { MAX_PHOTO_BYTES } from '../../../src/conversation/message.ts';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { createPerson } from '../../support/telegram-updates.ts';

const minh = createPerson(42);
const bot = botOf(4242, 'LoyaltyTestBot');

async function read(body: unknown) {
  const update = parseUpdate(body);
  const incoming = update && (await toIncoming(update, bot));
  return incoming ? incomingSchema.parse(incoming) : incoming;
}
const messageOf = async (body: unknown) => (await read(body))?.message;

const remote = (file: string) => ({ kind: 'remote', at: { file } });
const sized = (file_id: string, width: number, file_size = 1000) => ({
  file_id,
  width,
  height: width,
  file_size,
});

describe('a private message', () => {
  it('becomes a text with its sender, its address and the update’s id', async () => {
    const update = minh.writes('tích điểm TIVInpmx8b98pfg');
    expect(await read(update)).toEqual({
      channel: 'telegram',
      conversation: '42',
      id: `u${update.update_id}`,
      message: { kind: 'text', text: 'tích điểm TIVInpmx8b98pfg' },
      sender: { channel: 'telegram', proof: 'contact', locale: 'vi', name: 'Garnacho Thong' },
      address: { chat: 42 },
    });
  });

  it('keeps spaces and line ends, and is cut at 1000 characters without half a character', async () => {
    expect(await messageOf(minh.writes('  a\n b '))).toEqual({ kind: 'text', text: '  a\n b ' });
    expect(await messageOf(minh.writes('ă'.repeat(5000)))).toEqual({ kind: 'text', text: 'ă'.repeat(1000) });
    const split = await messageOf(minh.writes(`${'x'.repeat(999)}😀`));
    expect(split).toEqual({ kind: 'text', text: `${'x'.repeat(999)}\ufffd` });
  });

  it.each([
    ['/start', { kind: 'start' }],
    ['/start TIVInpmx8b98pfg', { kind: 'start', payload: 'TIVInpmx8b98pfg' }],
    ['/start@LoyaltyTestBot TIVInpmx8b98pfg', { kind: 'start', payload: 'TIVInpmx8b98pfg' }],
    [`/start _${Buffer.from('TIVI/001 é').toString('base64url')}`, { kind: 'start', payload: 'TIVI/001 é' }],
    ['/start _', { kind: 'start' }],
    ['/start _***', { kind: 'start', payload: '_***' }],
    ['/start __w', { kind: 'start', payload: '__w' }],
    ['/started', { kind: 'text', text: '/started' }],
    ['/redeem DAUMAY01', { kind: 'text', text: '/redeem DAUMAY01' }],
    ['/history@LoyaltyTestBot', { kind: 'text', text: '/history@LoyaltyTestBot' }],
  ])('%s', async (text, message) => {
    expect(await messageOf(minh.writes(text))).toEqual(message);
  });

  it.each([
    ['vi', 'vi'],
    ['vi-VN', 'vi'],
    ['en', 'en'],
    ['en-GB', 'en'],
    ['fr', undefined],
    [undefined, undefined],
    [7, undefined],
  ])('in a client in %s has the locale %s', async (language_code, locale) => {
    expect((await read(createPerson(42, { language_code }).writes('a')))?.sender.locale).toBe(locale);
  });

  it('has a name of at most 100 characters, or none', async () => {
    const long = createPerson(42, { first_name: 'a'.repeat(90), last_name: 'b'.repeat(90) });
    expect((await read(long.writes('a')))?.sender.name).toHaveLength(100);
    const none = createPerson(42, { first_name: undefined, last_name: undefined });
    expect((await read(none.writes('a')))?.sender.name).toBeUndefined();
  });

  it.each([
    [{ photo: [{ file_id: 'f' }] }, { kind: 'photo', pictures: [remote('f')] }],
    [
      { photo: [{ file_id: 'f' }], caption: 'TIVI01' },
      { kind: 'photo', pictures: [remote('f')], caption: 'TIVI01' },
    ],
    [
      { photo: [sized('s', 90), sized('l', 1280), sized('m', 320)] },
      { kind: 'photo', pictures: [remote('l')] },
    ],
    [
      { photo: [sized('m', 320), sized('l', 1280, MAX_PHOTO_BYTES + 1)] },
      { kind: 'photo', pictures: [remote('m')] },
    ],
    [{ document: { file_id: 'd', mime_type: 'image/png' } }, { kind: 'photo', pictures: [remote('d')] }],
    [
      { document: { file_id: 'd', mime_type: 'image/png', file_size: MAX_PHOTO_BYTES + 1 } },
      { kind: 'photo', pictures: [{ kind: 'unreadable' }] },
    ],
    [{ document: { file_id: 'd', mime_type: 'application/pdf' } }, { kind: 'unknown', what: 'other' }],
    [
      { document: { file_id: 'd', mime_type: 'application/pdf' }, caption: 'TIVI01' },
      { kind: 'text', text: 'TIVI01' },
    ],
    [{ photo: [{}] }, { kind: 'unknown', what: 'other' }],
    [{ voice: {} }, { kind: 'unknown', what: 'voice' }],
    [{ video_note: {} }, { kind: 'unknown', what: 'voice' }],
    [{ sticker: {} }, { kind: 'unknown', what: 'sticker' }],
    [{ location: {} }, { kind: 'unknown', what: 'other' }],
    [{ something_new: 1 }, { kind: 'unknown', what: 'other' }],
    [{ text: 5 }, { kind: 'unknown', what: 'other' }],
    [{ text: '' }, { kind: 'unknown', what: 'other' }],
    [{ contact: 'x' }, { kind: 'unknown', what: 'other' }],
  ])('%j is read as %j', async (content, message) => {
    expect(await messageOf(minh.sends(content))).toEqual(message);
  });
});

describe('an album', () => {
  const part = (content: object) => minh.sends({ media_group_id: '77', ...content });

  it('comes as messages of their own, each of which says that it is a part', async () => {
    const album = { kind: 'photo', album: true };
    expect(await messageOf(part({ photo: [{ file_id: 'f' }], caption: 'TIVI01' }))).toEqual({
      ...album,
      pictures: [remote('f')],
      caption: 'TIVI01',
    });
    expect(await messageOf(part({ video: {} }))).toEqual({ ...album, pictures: [{ kind: 'unreadable' }] });
    const ids = [
      await read(part({ photo: [{ file_id: 'f' }] })),
      await read(part({ photo: [{ file_id: 'g' }] })),
    ];
    expect(new Set(ids.map((incoming) => incoming?.id)).size).toBe(2);
  });
});

describe('a shared contact', () => {
  const own = async (update: unknown) => {
    const message = await messageOf(update);
    return message?.kind === 'contact' && message.own;
  };

  it('is the sender’s own if Telegram ties the number to them', async () => {
    expect(await messageOf(minh.shares('84867123456'))).toEqual({
      kind: 'contact',
      phone: '84867123456',
      own: true,
    });
  });

  it.each([
    ['somebody else’s', minh.shares('84867123456', { contact: { user_id: 43 } })],
    ['of nobody on Telegram', minh.shares('84867123456', { contact: { user_id: undefined } })],
    ['forwarded', minh.shares('84867123456', { message: { forward_origin: { type: 'user' } } })],
    ['forwarded, by an old server', minh.shares('84867123456', { message: { forward_date: 1 } })],
    ['sent through another bot', minh.shares('84867123456', { message: { via_bot: { id: 1 } } })],
    ['without a sender', minh.shares('84867123456', { message: { from: undefined } })],
  ])('is not the sender’s own: %s', async (_why, update) => {
    expect(await own(update)).toBe(false);
  });

  it('in a group proves nothing and says nothing', async () => {
    expect(
      await read(minh.shares('84867123456', { message: { chat: { id: -5, type: 'group' } } })),
    ).toBeNull();
  });
});

describe('a press', () => {
  it('becomes a choice with its view, and remembers what to answer and to edit', async () => {
    const update = minh.presses('edit:phone~v3k', 7);
    const query = 'callback_query' in update && update.callback_query;
    expect(await read(update)).toMatchObject({
      conversation: '42',
      message: { kind: 'choice', choice: 'edit:phone', view: 'v3k' },
      press: {
        query: query && typeof query === 'object' && 'id' in query && query.id,
        message: 7,
        view: 'v3k',
      },
    });
  });

  it('splits at the last ~, and without one has no view', async () => {
    expect(await messageOf(minh.presses('a~b~c', 7))).toEqual({ kind: 'choice', choice: 'a~b', view: 'c' });
    expect(await messageOf(minh.presses('next', 7))).toEqual({ kind: 'choice', choice: 'next' });
  });

  it.each([['~v'], ['x'.repeat(65)]])('with data of no button of ours (%s) is unknown', async (data) => {
    expect(await messageOf(minh.presses(data, 7))).toEqual({ kind: 'unknown', what: 'other' });
  });

  it('without its message goes to the person’s own chat', async () => {
    const press = { update_id: 1, callback_query: { id: 'q', from: { id: 42 }, data: 'next~v', message: 5 } };
    expect(await read(press)).toMatchObject({
      conversation: '42',
      address: { chat: 42 },
      press: { query: 'q' },
    });
  });
});

describe('a group', () => {
  const group = { id: -100, type: 'supergroup', title: 'Hội' };
  const inGroup = (text: string, more: object = {}) => minh.sends({ chat: group, text, ...more });
  const command = (text: string) => inGroup(text, { entities: [entity('bot_command', 0, text.length)] });
  const entity = (type: string, offset: number, length: number) => ({ type, offset, length });

  it.each([
    ['a command', command('/start')],
    ['a command with our name', command('/start@loyaltytestbot')],
    ['a mention', inGroup('hi @LoyaltyTestBot', { entities: [entity('mention', 3, 15)] })],
    [
      'a mention by id',
      inGroup('hi you', { entities: [{ ...entity('text_mention', 3, 3), user: { id: 4242 } }] }),
    ],
    ['a reply to us', inGroup('0867123456', { reply_to_message: { from: { id: 4242 } } })],
    [
      'a caption with our name',
      minh.sends({
        chat: group,
        photo: [{}],
        caption: '@LoyaltyTestBot',
        caption_entities: [entity('mention', 0, 15)],
      }),
    ],
  ])('addresses us by %s, which says no more than that', async (_how, update) => {
    expect(await read(update)).toMatchObject({ conversation: '-100', message: { kind: 'group' } });
  });

  it.each([
    ['talk', inGroup('tích điểm TIVInpmx8b98pfg')],
    ['a command of another bot', command('/start@other_bot')],
    ['a mention of somebody else', inGroup('hi @LoyaltyTestBot2', { entities: [entity('mention', 3, 16)] })],
    ['a reply to somebody else', inGroup('ok', { reply_to_message: { from: { id: 1 } } })],
    [
      'another bot',
      inGroup('/start', { from: { id: 9, is_bot: true }, entities: [entity('bot_command', 0, 6)] }),
    ],
    [
      'a channel',
      { update_id: 1, channel_post: { message_id: 1, chat: { id: -1, type: 'channel' }, text: 'a' } },
    ],
  ])('does not address us by %s', async (_how, update) => {
    expect(await read(update)).toBeNull();
  });

  it('addresses us by any named command while we do not know our name', async () => {
    const update = parseUpdate(command('/start@LoyaltyTestBot'));
    expect(update && (await toIncoming(update, botOf(4242)))?.message).toEqual({ kind: 'group' });
  });

  it('answers in the topic that addressed us', async () => {
    const update = minh.sends({
      chat: group,
      text: '/start',
      entities: [entity('bot_command', 0, 6)],
      message_thread_id: 9,
      is_topic_message: true,
    });
    expect((await read(update))?.address).toEqual({ chat: -100, thread: 9 });
  });

  it('gets the group’s answer to a press, too', async () => {
    const from = { id: 42, first_name: 'Garnacho' };
    const press = { id: 'q', from, data: 'confirm:x~v', message: { message_id: 3, chat: group } };
    expect(await read({ update_id: 1, callback_query: press })).toMatchObject({
      message: { kind: 'group' },
      press: { query: 'q', message: 3 },
    });
  });
});

describe('what nobody says to us', () => {
  it.each([
    [
      'an edit of what was answered already',
      { edited_message: { chat: { id: 42, type: 'private' }, text: 'a' } },
    ],
    ['blocking the bot', { my_chat_member: { chat: { id: 42, type: 'private' }, new_chat_member: {} } }],
    ['nothing at all', {}],
    ['a message without a chat', { message: { text: 'a' } }],
    ['a pinned message', { message: { chat: { id: 42, type: 'private' }, pinned_message: {} } }],
  ])('is no message: %s', async (_what, content) => {
    expect(await read({ update_id: 1, ...content })).toBeNull();
  });

  it.each([[null], ['a'], [[]], [{}], [{ update_id: '1' }], [{ update_id: 1.5 }]])(
    '%j is no update',
    (body) => {
      expect(parseUpdate(body)).toBeNull();
    },
  );
});
