import { describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../../src/channels/channel.ts';
import { render } from '../../../src/channels/telegram/render.ts';
import { MAX_PHOTO_BYTES } from '../../../src/conversation/message.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Outgoing } from '../../../src/engine/messages.ts';
import { createPhotoReader } from '../../../src/photos/reader.ts';
import { PATIENT } from '../../support/photos.ts';
import { choice, literal, words } from '../harness.ts';
import { CHAT, createBot, outgoing } from './harness.ts';

const ASKED: Reply = { key: 'ask', choices: [choice('next'), choice('cancel')], view: 'v1' };

/** A bot that has already asked a question with buttons, in the message `press.message`. */
async function createAsked() {
  const bot = await createBot();
  const { channel, double } = bot;
  await channel.deliver(outgoing(ASKED), 1);
  const press = { query: 'q1', message: double.shown(CHAT)[0]?.message_id ?? 0, view: 'v1' };
  const deliver = (reply: Reply, more: Partial<Outgoing> = {}) =>
    channel.deliver(outgoing(reply, { press, ...more }), 2);
  const texts = () => double.shown(CHAT).map(({ text }) => text.replace('vi:', ''));
  const left = () =>
    double
      .shown(CHAT)[0]
      ?.buttons.flat()
      .map((button) => button.text);
  return { ...bot, press, deliver, texts, left };
}

describe('a reply', () => {
  it('arrives as plain text with its buttons and without a link preview', async () => {
    const { channel, double } = await createBot();
    const reply = { key: 'k', lines: [literal('<b>*_x')], choices: [choice('a')], view: 'v1' };
    expect(await channel.deliver(outgoing(reply), 1)).toEqual({ kind: 'delivered' });
    expect(double.calls('sendMessage')[0]?.payload).toEqual({
      chat_id: CHAT,
      text: 'vi:k\n<b>*_x',
      link_preview_options: { is_disabled: true },
      reply_markup: { inline_keyboard: [[{ text: 'a', callback_data: 'a~v1' }]] },
    });
  });

  it('goes to the topic of its message, and is dropped if its address has no known shape', async () => {
    const { channel, double } = await createBot();
    const rejected = await channel.deliver(outgoing({ key: 'k' }, { address: 'teams' }), 1);
    expect(rejected).toEqual({ kind: 'rejected' });
    await channel.deliver(outgoing({ key: 'k' }, { address: { chat: -100, thread: 9 } }), 1);
    const [sent, ...more] = double.calls('sendMessage');
    expect([sent?.payload, more]).toMatchObject([{ chat_id: -100, message_thread_id: 9 }, []]);
  });
});

it('a reply to a topic that was deleted goes to the chat', async () => {
  const { channel, double } = await createBot();
  const gone = { code: 400, description: 'Bad Request: message thread not found' };
  double.script('sendPhoto', gone);
  double.script('sendMessage', gone);
  const address = { chat: CHAT, thread: 9 };
  const reply = { key: 'redeem.done', image: 'https://shop.example/loa.jpg' };
  expect(await channel.deliver(outgoing(reply, { address }), 1)).toEqual({ kind: 'delivered' });
  expect(double.shown(CHAT)).toMatchObject([{ text: 'vi:redeem.done' }]);
  expect(double.calls('sendMessage').map(({ payload }) => payload.message_thread_id)).toEqual([9, undefined]);
});

describe('a reply with a picture', () => {
  const url = 'https://shop.example/loa.jpg';
  const summary: Reply = { key: 'redeem.summary', image: url, choices: [choice('confirm:1')], view: 'v1' };
  const asText = { text: 'vi:redeem.summary', buttons: [[{ callback_data: 'confirm:1~v1' }]] };

  it('arrives as a photo with the text as its caption, and its buttons; as text where that is too long', async () => {
    const { channel, double } = await createBot();
    await channel.deliver(outgoing(summary), 1);
    await channel.deliver(outgoing({ ...summary, lines: [literal('ế'.repeat(1020))] }), 1);
    expect(double.shown(CHAT)).toMatchObject([{ ...asText, photo: url }, {}]);
    expect(double.calls('sendPhoto').map(({ payload }) => payload.parse_mode)).toEqual([undefined]);
  });

  it.each([
    ['refuses', { code: 400, description: 'Bad Request: failed to get HTTP URL content' }],
    ['does not fetch in time', 'reset'],
  ] as const)('that Telegram %s arrives as text at once', async (_what, fault) => {
    const { channel, double } = await createBot();
    double.script('sendPhoto', fault);
    expect(await channel.deliver(outgoing(summary), 1)).toEqual({ kind: 'delivered' });
    expect(double.shown(CHAT).at(-1)).toMatchObject(asText);
  });
});

describe('a reply with a QR code', () => {
  const receipt: Reply = {
    key: 'redeem.done',
    qr: '7KQ2-M8XR-W4TD',
    choices: [choice('redeem')],
    view: 'v1',
  };
  const picture: Reply = { ...receipt, key: 'receipt.qr' };

  it('comes first as a text with a button that asks for the picture, so that no receipt waits for a picture', async () => {
    const { channel, double } = await createBot({ drawQr: () => new Promise(() => {}) });
    expect(await channel.deliver(outgoing(receipt), 1)).toEqual({ kind: 'delivered' });
    expect(double.calls('sendPhoto')).toEqual([]);
    const buttons = double.shown(CHAT).flatMap((shown) => shown.buttons.flat());
    expect(buttons).toMatchObject([{ callback_data: 'qr:7KQ2-M8XR-W4TD~v1' }, { text: 'redeem' }]);
  });

  it('comes as a readable picture once the customer asked for it, with the text as caption and its buttons', async () => {
    const { channel, double } = await createBot();
    expect(await channel.deliver(outgoing(picture), 1)).toEqual({ kind: 'delivered' });
    const [{ photo, ...shown } = { photo: undefined }, ...others] = double.shown(CHAT);
    expect([shown, others]).toMatchObject([{ text: 'vi:receipt.qr', buttons: [[{ text: 'redeem' }]] }, []]);
    const bytes = photo instanceof Uint8Array ? photo : new Uint8Array();
    expect(await createPhotoReader(PATIENT).read(bytes, 'me')).toEqual({
      kind: 'read',
      texts: ['7KQ2-M8XR-W4TD'],
    });
  });

  it.each([
    ['cannot be drawn', { drawQr: async () => undefined }, undefined],
    ['Telegram refuses', {}, { code: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' }],
  ] as const)('that %s is a text', async (_what, options, fault) => {
    const { channel, double } = await createBot(options);
    if (fault) double.script('sendPhoto', fault);
    expect(await channel.deliver(outgoing(picture), 1)).toEqual({ kind: 'delivered' });
    expect(double.calls('sendMessage')).toHaveLength(1);
    expect(double.shown(CHAT)).toMatchObject([{ text: 'vi:receipt.qr' }]);
  });

  it('is uncertain if the answer to its picture is lost: the engine decides whether to send it again', async () => {
    const { channel, double } = await createBot();
    double.script('sendPhoto', 'reset');
    expect(await channel.deliver(outgoing(picture), 1)).toEqual({ kind: 'uncertain' });
    expect(double.calls('sendMessage')).toHaveLength(0);
  });
});

it('every send passes the rate limiter, which knows receipts and how each send ended', async () => {
  const take = vi.fn(() => 70);
  const note = vi.fn();
  const { channel, double } = await createBot({ limiter: { take, note } });
  const press = { query: 'q1', message: 101, view: 'v1' };
  const remarks: Reply[] = [
    { key: 'page', inPlace: true },
    { key: 'n', notice: true },
  ];
  const keys = ['operation.checking', 'accumulate.partly', 'redeem.done', 'redeem.askGift'];
  const replies = [...keys.map((key) => ({ key })), ...remarks];
  expect(replies.map((reply) => channel.pace?.(outgoing(reply, { press })))).toEqual(replies.map(() => 70));
  const asked = { chat: String(CHAT), isGroup: false, madeAtMs: 0 };
  const kinds = [...Array(3).fill([true, false]), ...Array(2).fill([false, false]), [false, true]];
  expect(take.mock.calls).toEqual(kinds.map(([isReceipt, isToast]) => [{ ...asked, isReceipt, isToast }]));
  double.script('sendMessage', { code: 429, description: 'x', parameters: { retry_after: 7 } });
  for (const key of ['menu', 'again']) await channel.deliver(outgoing({ key }), 1);
  expect(note.mock.calls).toEqual([
    [String(CHAT), { kind: 'throttled', afterMs: 7000 }],
    [String(CHAT), { kind: 'delivered' }],
  ]);
});

describe('a press', () => {
  const page: Reply = { key: 'page', choices: [choice('previous')], view: 'v2', inPlace: true };
  const expired: Reply = { key: 'choice.expired', notice: true, choices: [choice('menu')] };
  const GONE = { press: { query: 'q1', message: 1 } };

  it.each<[what: string, reply: Reply, texts: string[], left: string[], more?: Partial<Outgoing>]>([
    ['takes the buttons of the finished question off', { key: 'done' }, ['ask', 'done'], []],
    ['leaves them to the same question', { key: 'busy', view: 'v1' }, ['ask', 'busy'], ['next', 'cancel']],
    ['that pages edits the message in place', page, ['page'], ['previous']],
    ['whose edit changes nothing succeeds', { ...ASKED, inPlace: true }, ['ask'], ['next', 'cancel']],
    ['on a message that is gone gets a new one', page, ['ask', 'page'], ['next', 'cancel'], GONE],
    ['on a dead question shows a toast', expired, ['ask'], []],
  ])('%s', async (_what, reply, texts, left, more) => {
    const asked = await createAsked();
    expect(await asked.deliver(reply, more)).toEqual({ kind: 'delivered' });
    expect([asked.texts(), asked.left()]).toEqual([texts, left]);
    const [, answered] = asked.double.calls();
    const toast = reply.notice ? { text: 'vi:choice.expired' } : {};
    expect(answered).toEqual({
      method: 'answerCallbackQuery',
      payload: { callback_query_id: 'q1', ...toast },
    });
  });

  it('that is too old for a toast gets its remark as a message', async () => {
    const { deliver, double, texts } = await createAsked();
    double.script('answerCallbackQuery', { code: 400, description: 'Bad Request: query is too old' });
    expect(await deliver(expired)).toEqual({ kind: 'delivered' });
    expect(texts()).toEqual(['ask', 'choice.expired']);
  });
});

const ASKS_PHONE: Reply = { key: 'ask', choices: [choice('cancel', 'Huỷ')], asks: 'phone', sharePhone: true };
const KEYBOARD = [['vi:telegram.sharePhone'], ['Huỷ']];

it.each<[what: string, reply: Reply, state: Outgoing['state'], keyboard: string[][]]>([
  ['goes with the next reply without buttons', { key: 'done' }, {}, []],
  ['stays while the phone is still asked', { key: 'invalid' }, { asks: 'phone' }, KEYBOARD],
  ['is left to hide itself by one with buttons', ASKED, { asks: 'email' }, KEYBOARD],
])('the contact keyboard %s', async (_what, reply, state, keyboard) => {
  const { channel, double } = await createBot();
  await channel.deliver(outgoing(ASKS_PHONE, { state: { asks: 'phone' } }), 1);
  expect(double.keyboard(CHAT)).toEqual(KEYBOARD);
  expect(double.calls('sendMessage')[0]?.payload).toMatchObject({
    reply_markup: { keyboard: [[{ request_contact: true }], [{}]], one_time_keyboard: true },
  });
  await channel.deliver(outgoing(reply, { state }), 2);
  expect(double.keyboard(CHAT)).toEqual(keyboard);
  expect(double.shown(CHAT)).toHaveLength(2);
});

it('in a group the answer has only a button into the private chat, once the bot knows its own name', async () => {
  const { channel, double } = await createBot();
  const answer = outgoing({ key: 'group.private' }, { address: { chat: -5 } });
  await channel.deliver(answer, 1);
  await channel.start?.();
  await channel.deliver(answer, 2);
  const markups = double.calls('sendMessage').map(({ payload }) => payload.reply_markup);
  const button = { text: 'vi:telegram.openChat', url: 'https://t.me/LoyaltyTestBot?start=_' };
  expect(markups).toEqual([undefined, { inline_keyboard: [[button]] }]);
  // Whatever Telegram calls it, a group in which no member may write is no fault of the bot.
  double.script('sendMessage', {
    code: 400,
    description: 'Bad Request: not enough rights to send text messages',
  });
  expect(await channel.deliver(answer, 3)).toEqual({ kind: 'unreachable' });
});

it('during a call the press is answered and the bot types', async () => {
  const { channel, double, press } = await createAsked();
  await channel.working?.({ conversation: `${CHAT}`, address: { chat: CHAT }, press });
  expect(double.calls('answerCallbackQuery')).toHaveLength(1);
  expect(double.calls('sendChatAction')[0]?.payload).toEqual({ chat_id: CHAT, action: 'typing' });
});

it('neither the token nor a text gets into the log', async () => {
  for (const apiRoot of ['http://127.0.0.1:1', undefined]) {
    const { channel, double, observed } = await createBot({ ...(apiRoot && { apiRoot }), timeoutMs: 1000 });
    double.script('setWebhook', 'garbage', { code: 400, description: 'Bad Request: bad webhook' });
    double.script('sendMessage', 'reset');
    await channel.start?.();
    await channel.deliver(outgoing(literal('0867123456')), 1);
    await channel.stop?.();
    expect(observed.join('\n')).not.toContain(double.token);
    expect(observed.join('\n')).not.toContain('0867123456');
  }
});

const rowsOf = (choices: ReturnType<typeof choice>[]) =>
  render({ key: 'k', choices, view: 'v3k' }, 'vi', words).inline?.inline_keyboard.map((row) =>
    row.map((button) => button.text),
  );

describe('buttons', () => {
  it.each([
    ['two in a row', [choice('a'), choice('b'), choice('c')], [['a', 'b'], ['c']]],
    [
      'alone if a label is long',
      [choice('a'), choice('b', 'a label that is long')],
      [['a'], ['a label that is long']],
    ],
    ['alone if one is a gift', [choice('gift:A', 'A'), choice('cancel')], [['A'], ['cancel']]],
    ['alone if one confirms', [choice('confirm:1', 'ok'), choice('cancel')], [['ok'], ['cancel']]],
  ])('are laid out: %s', (_how, choices, rows) => {
    expect(rowsOf(choices)).toEqual(rows);
  });

  it('are left out where Telegram’s 64 bytes do not hold them', () => {
    const long = choice(`gift:${'ă'.repeat(28)}`);
    expect(rowsOf([long, choice('cancel')])).toEqual([['cancel']]);
  });
});

it('cuts what Telegram would refuse as too long, never within a character', () => {
  const { text } = render(literal(`${'x'.repeat(4095)}😀`), 'vi', words);
  expect([text.length, text.isWellFormed()]).toEqual([4096, true]);
});

const place = { conversation: String(CHAT), address: { chat: CHAT } };
const content = Buffer.from('a picture');

/** What a fetch for the reader of codes comes to; of a whole picture its bytes. */
async function fetchFrom(channel: Channel, file: string) {
  const bounds = { maxBytes: MAX_PHOTO_BYTES, timeoutMs: 5000 };
  const fetched = await channel.fetchMedia?.(place, { file }, bounds);
  return fetched?.kind === 'fetched' ? Buffer.concat(await fetched.content.toArray()) : fetched?.kind;
}

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
    expect(await fetchFrom(channel, 'f1')).toBe('gone');
    expect(double.calls('file')).toEqual([]);
  });

  it('is fetched by the path that Telegram tells, and has at most 10 MB', async () => {
    const { channel, double } = await createBot();
    const bytes = Buffer.alloc(MAX_PHOTO_BYTES);
    double.keep('most', bytes, 'photos/file_7.jpg');
    double.keep('more', Buffer.alloc(MAX_PHOTO_BYTES + 1));
    expect(await fetchFrom(channel, 'most')).toEqual(bytes);
    expect(await fetchFrom(channel, 'more')).toBe('large');
  });

  it.each([
    ['getFile', { code: 400, description: 'Bad Request: file is too big' }, 'large'],
    ['getFile', 'reset', 'unavailable'],
    ['file', { code: 404, description: 'Not Found' }, 'gone'],
    ['file', { code: 302, description: 'Found', headers: { location: '/file/elsewhere' } }, 'unavailable'],
    ['file', 'reset', 'unavailable'],
  ] as const)('where %s ends with %j is %s, and asked for once', async (method, fault, kind) => {
    const { channel, double } = await createBot();
    double.keep('f1', content);
    double.script(method, fault);
    expect(await fetchFrom(channel, 'f1')).toBe(kind);
    expect(double.calls(method)).toHaveLength(1);
  });
});
