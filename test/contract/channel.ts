import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Accept, Channel, ChannelParts } from '../../src/channels/channel.ts';
import { Engine } from '../../src/engine/engine.ts';
import { type Delivery, type Incoming, MEDIA_BOUNDS, type Outgoing } from '../../src/engine/messages.ts';
import { problemHandler } from '../../src/http/problem.ts';
import { createWords } from '../../src/i18n.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryFeed, createMemoryStore } from '../../src/store/memory.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS, succeed } from '../support/dialogue.ts';
import { recordingObserve } from '../support/observe.ts';
import { readerOf } from '../support/photos.ts';

/*
 * What every channel must do. Whoever writes a channel runs `channelContract` on it, with a double of its
 * platform (docs/recipes/channel.md).
 */

/** What a picture's code says. */
const PHOTOGRAPHED = 'TIVI000000017';

/**
 * What a channel can do. The suite checks that it is so, and does not ask for what a channel cannot do; the
 * name of the suite says what that is.
 *
 * - `buttons`: choices are buttons. Else they are numbers, which customers type.
 * - `edit`: the next page of a list replaces the page before.
 * - `picture`: customers send pictures. `media`: staff can look at what they send. `contact`: they have a
 *   button that shares their contact.
 * - `typing`: it shows that the bot is at work.
 * - `proof`: customers can show who they are, or the platform vouches for it.
 * - `platform`: replies leave by calls, whose answers have a meaning. Else they wait in the feed.
 * - `strangers`: requests are signed, or have a secret; others are refused.
 */
export type Ability = (typeof ABILITIES)[number];
const ABILITIES = [
  ...(['buttons', 'edit', 'picture', 'media', 'contact'] as const),
  ...(['typing', 'proof', 'platform', 'strangers'] as const),
];

/** How a call to a platform may fail (docs/how-it-works.md, "What a platform's answer means"). */
export type Failure = Exclude<Delivery['kind'], 'delivered'>;
const FAILURES: readonly Failure[] = [
  ...(['throttled', 'undelivered', 'uncertain'] as const),
  ...(['unauthorized', 'unreachable', 'rejected'] as const),
];

/**
 * A customer of a platform. Each act resolves once its request was answered with success, and rejects if it
 * was refused.
 */
export type Customer = {
  /** `id`: as the platform would name the message; the same one again is the same message. */
  text(text: string, id?: string): Promise<void>;
  /** Something that the bot cannot read; absent where nothing of the kind can be sent. */
  unreadable?(): Promise<void>;
  /** A picture; whatever it is, it carries `PHOTOGRAPHED`. Absent where no pictures can be sent. */
  photo?(): Promise<void>;
  /** All buttons so far, each ready to be pressed, and pressed again; `data`: `<choice id>~<view>`. */
  buttons(): readonly { readonly data: string; press(): Promise<void> }[];
  /** Shows who they are where the bot asks for it; absent where the platform vouches for it by itself. */
  prove?(): Promise<void>;
  /** Whether the customer sees this text somewhere. */
  sees(text: string): boolean;
  /** The texts of all messages that the customer sees now. */
  shown(): readonly string[];
  /** Somebody without the platform's secret sends a text; the status of the answer. With `strangers`. */
  stranger?(): Promise<number>;
};

type Parts = 'accept' | 'words' | 'observe' | 'encryption' | 'feed' | 'photoReader';

/** Makes the channel before a double of its platform; mounted, started and ended by the suite. */
export type CreateChannel = (parts: Pick<ChannelParts, Parts>) => Promise<{
  readonly channel: Channel;
  /** Staff vouch for what they send: they are not asked whether they want to be remembered. */
  readonly isStaff?: true;
  listening(url: string): Customer;
  /**
   * The next call that sends a message ends so; `throttled`: the platform asks for a second. With `platform`.
   */
  fail?(how: Failure): void;
}>;

export type ChannelKit = {
  readonly name: string;
  readonly abilities: readonly Ability[];
  /** The longest text of a message, in UTF-16 units; absent: none is too long. */
  readonly longest?: number | undefined;
  readonly create: CreateChannel;
};

/** The bot around a channel: everything real but AntCRM, which has a good day. */
async function startBot(create: CreateChannel) {
  const encryption = createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });
  const { observe } = recordingObserve();
  const words = createWords({ timeZone: SETTINGS.timeZone });
  const delivered: Outgoing[] = [];
  const news = new EventTarget();
  const gate = new Gate();
  const accepted: Incoming[] = [];
  let channel: Channel | undefined;
  let asked = 0;
  const photoReader = readerOf({ kind: 'read', texts: [PHOTOGRAPHED] });
  const engine = new Engine({
    store: createMemoryStore(systemRuntime),
    encryption,
    conversation: { step, readState, newState, settings: SETTINGS },
    perform: async (effect) => succeed(effect),
    photoReader,
    platform: () => channel,
    ids: () => ({ operation: `OP${++asked}`, view: `V${asked}` }),
    observe,
  });
  const app = Fastify();
  app.setErrorHandler(problemHandler(observe.log));
  const feed = createMemoryFeed();
  const accept: Accept = async (...message) => {
    await gate.pass();
    accepted.push(message[0]);
    return engine.accept(...message);
  };
  const made = await create({ accept, words, observe, encryption, feed, photoReader });
  const deliver = made.channel.deliver.bind(made.channel);
  channel = Object.assign(made.channel, {
    async deliver(outgoing: Outgoing, seq: number) {
      const delivery = await deliver(outgoing, seq);
      if (delivery.kind === 'delivered') delivered.push(outgoing);
      news.dispatchEvent(new Event('delivered'));
      return delivery;
    },
  });
  for (const plugin of [channel.plugin, channel.staffPlugin]) if (plugin) await app.register(plugin);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  engine.start();
  onTestFinished(async () => {
    await engine.stop();
    await channel?.stop?.();
    await channel?.close?.();
    await app.close();
    await feed.close();
  });
  const customer = made.listening(url);

  /**
   * The keys of what the bot says to an act, once all of it was delivered; and the customer has seen each.
   */
  async function repliesAfter(act: () => Promise<void>, turns = 1): Promise<string[]> {
    const before = delivered.length;
    const over = () => delivered.slice(before).filter(({ last }) => last).length;
    await act();
    while (over() < turns) await once(news, 'delivered');
    const replies = delivered.slice(before);
    for (const { reply, locale } of replies) {
      const [line = ''] = words.line(reply, locale).split('\n');
      const shown = reply.form ? words.line({ key: 'teams.form.title' }, locale) : line;
      expect([line, shown].some(customer.sees), line).toBe(true);
    }
    return replies.map(({ reply }) => reply.key);
  }

  /** The newest button whose choice is `choice` or begins with `choice:`. */
  function button(choice: string): () => Promise<void> {
    const found = customer.buttons().findLast(({ data }) => new RegExp(`^${choice}[:~]`).test(data));
    if (!found) throw new Error(`there is no button for ${choice}`);
    return found.press;
  }

  return {
    channel,
    accepted,
    delivered,
    gate,
    fail: made.fail ?? (() => {}),
    customer,
    button,
    isStaff: made.isStaff === true,
    repliesAfter,
    text: (text: string, id?: string) => repliesAfter(() => customer.text(text, id)),
    press: (choice: string) => repliesAfter(button(choice)),
  };
}

/** Where messages are stored: they pass, wait, or find it away. */
class Gate {
  asked = 0;
  #open: Promise<void> = Promise.resolve();
  #isAway = false;

  async pass(): Promise<void> {
    this.asked += 1;
    if (this.#isAway) throw new StoreUnavailable('away');
    await this.#open;
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
  }

  /** Messages wait until the function is called. */
  shut(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open = promise;
    return resolve;
  }
}

/** The same for every channel, whatever its platform. */
export function channelContract({ name, abilities, longest, create }: ChannelKit): void {
  const can = (ability: Ability) => abilities.includes(ability);
  const lacks = ABILITIES.filter((ability) => !can(ability));
  const missing = lacks.length > 0 ? ` (not tested, for it has none: ${lacks.join(', ')})` : '';
  describe(`${name}, as every channel${missing},`, () => {
    describeRequests(create, can);
    describeQuestions(create, can);
    describeDeliveries(create, can);
    if (can('platform')) describePlatform(create, longest);
    if (can('media')) describeMedia(create);
    describeConversations(create);
    describeOperations(create);
  });
}

type Can = (ability: Ability) => boolean;

function describeRequests(create: CreateChannel, can: Can): void {
  it(`has exactly the abilities of its kit: ${ABILITIES.filter(can).join(', ')}`, async () => {
    const { channel, customer, text } = await startBot(create);
    await text('đổi ngôn ngữ');
    const has: Partial<Record<Ability, boolean>> = {
      picture: customer.photo !== undefined,
      media: channel.fetchMedia !== undefined,
      typing: channel.working !== undefined,
      strangers: customer.stranger !== undefined,
    };
    for (const [ability, isTrue] of Object.entries(has)) {
      const named = ABILITIES.some((one) => one === ability && can(one));
      expect([ability, named]).toEqual([ability, isTrue]);
    }
    expect(customer.buttons().length).toBeGreaterThan(1);
  });

  it('answers a request once the message is stored, and takes it again if it was not', async () => {
    const { customer, gate, repliesAfter } = await startBot(create);
    gate.setAway(true);
    await expect(customer.text('trợ giúp', '7101')).rejects.toThrow();
    gate.setAway(false);
    const { asked } = gate;
    const open = gate.shut();
    let isAnswered = false;
    async function send(): Promise<void> {
      const sending = customer.text('trợ giúp', '7101').then(() => {
        isAnswered = true;
      });
      await expect.poll(() => gate.asked).toBe(asked + 1);
      expect(isAnswered).toBe(false);
      open();
      await sending;
    }
    expect(await repliesAfter(send)).toEqual(['help']);
  });

  it('keeps the order of messages that come at once', async () => {
    const { customer, repliesAfter } = await startBot(create);
    async function send(): Promise<void> {
      for (const text of ['trợ giúp', 'đổi ngôn ngữ', 'huỷ']) await customer.text(text);
    }
    expect(await repliesAfter(send, 3)).toEqual(['help', 'language.ask', 'cancel.nothing']);
  });

  if (can('strangers'))
    it('refuses strangers, and stores nothing of theirs', async () => {
      const { customer, gate } = await startBot(create);
      expect([401, 403]).toContain(await customer.stranger?.());
      expect(gate.asked).toBe(0);
    });
}

function describeQuestions(create: CreateChannel, can: Can): void {
  if (can('contact'))
    it('offers the button that shares a contact where a phone must be proved', async () => {
      const { delivered, customer, text, repliesAfter } = await startBot(create);
      await text('đổi quà DAUMAY01');
      expect(delivered.at(-1)?.reply.sharePhone).toBe(true);
      expect(await repliesAfter(async () => customer.prove?.())).toEqual(['redeem.summary']);
    });

  if (can('edit'))
    it('replaces a page by the next one', async () => {
      const { customer, text, press, repliesAfter } = await startBot(create);
      const asked = await text('lịch sử');
      if (customer.prove && !asked.includes('history.page')) await repliesAfter(customer.prove);
      await press('period:all');
      const before = customer.shown().length;
      expect(await press('next')).toEqual(['history.page']);
      expect(customer.shown()).toHaveLength(before);
    });

  if (!can('buttons'))
    it('takes a number for a choice of the list that was seen last', async () => {
      const { text } = await startBot(create);
      expect(await text('đổi ngôn ngữ')).toEqual(['language.ask']);
      expect(await text('2')).toEqual(['language.done']);
    });
}

/** A bot, and replies for its customer as the engine hands them on. */
async function startTold(create: CreateChannel) {
  const bot = await startBot(create);
  await bot.text('trợ giúp');
  const [outgoing] = bot.delivered;
  if (!outgoing) throw new Error('nothing was delivered');
  const says = (text: string, times = 1): Outgoing => {
    const line = { key: 'person.says', params: { by: 'Lan', text } };
    return { ...outgoing, press: undefined, reply: { ...line, lines: Array(times - 1).fill(line) } };
  };
  return { ...bot, says };
}

function describeDeliveries(create: CreateChannel, can: Can): void {
  it('delivers a reply again that a crash left, and replies after its stop', async () => {
    const { channel, customer, says } = await startTold(create);
    const delivered = { kind: 'delivered' };
    expect([await channel.deliver(says('a'), 71), await channel.deliver(says('a'), 71)]).toEqual([
      delivered,
      delivered,
    ]);
    await channel.stop?.();
    expect(await channel.deliver(says('after the stop'), 72)).toEqual(delivered);
    if (can('platform')) expect(customer.sees('after the stop')).toBe(true);
    await channel.close?.();
    await channel.close?.();
  });
}

function describePlatform(create: CreateChannel, longest: number | undefined): void {
  it.each(FAILURES)('reports how a reply ended if its platform lets it be %s', async (kind) => {
    const { channel, says, fail } = await startTold(create);
    fail(kind);
    expect(await channel.deliver(says('a'), 61)).toMatchObject({
      kind,
      ...(kind === 'throttled' && { afterMs: 1000 }),
    });
    expect(await channel.deliver(says('b'), 62)).toEqual({ kind: 'delivered' });
  });

  it('puts a reply off for as long as the platform asks; none overtakes it', async () => {
    const { customer, repliesAfter, fail } = await startTold(create);
    fail('throttled');
    const sinceMs = performance.now();
    async function send(): Promise<void> {
      for (const text of ['đổi ngôn ngữ', 'huỷ']) await customer.text(text);
    }
    expect(await repliesAfter(send, 2)).toEqual(['language.ask', 'cancel.nothing']);
    expect(performance.now() - sinceMs).toBeGreaterThan(990);
  });

  it('shows a long text whole, or cut between sentences', async () => {
    const { channel, customer, says } = await startTold(create);
    const text = 'Mời bạn ghé cửa hàng. Cửa hàng mở cửa từ 8 giờ đến 21 giờ mỗi ngày.';
    const times = Math.ceil((longest ?? 3000) / text.length) + 1;
    expect(await channel.deliver(says(text, times), 81)).toEqual({ kind: 'delivered' });
    const shown = customer.shown().at(-1) ?? '';
    expect(shown).toMatch(/(cửa hàng|mỗi ngày)\.$/);
    expect(shown.length).toBeGreaterThan(0.9 * (longest ?? 3000));
    expect(shown.length).toBeLessThanOrEqual(longest ?? shown.length);
  });

  it('delivers nothing once it is closed', async () => {
    const { channel, says } = await startTold(create);
    await channel.stop?.();
    await channel.close?.();
    expect(await channel.deliver(says('late'), 91)).toEqual({ kind: 'undelivered' });
  });
}

function describeMedia(create: CreateChannel): void {
  it('fetches a customer’s media each time that staff look, and nothing of another channel', async () => {
    const { channel, customer, accepted } = await startBot(create);
    await customer.photo?.();
    const [incoming] = accepted;
    const [media] = incoming?.message.kind === 'photo' ? (incoming.message.media ?? []) : [];
    if (!incoming || !media) throw new Error('the picture is not handed on');
    expect(media).toMatchObject({ kind: 'picture', at: expect.anything() });
    for (const _ of [1, 2]) {
      const fetched = await channel.fetchMedia?.(incoming, media.at, MEDIA_BOUNDS);
      if (fetched?.kind !== 'fetched') throw new Error(`it is ${fetched?.kind}`);
      expect((await fetched.content.toArray()).length).toBeGreaterThan(0);
    }
    for (const at of [undefined, null, 'https://elsewhere.example/', { url: 'https://elsewhere.example/p' }])
      expect((await channel.fetchMedia?.(incoming, at, MEDIA_BOUNDS))?.kind).toBe('gone');
  });
}

function describeConversations(create: CreateChannel): void {
  it('earns points by one message, once, and asks customers for consent', async () => {
    const { text, button, press, repliesAfter, isStaff } = await startBot(create);
    const keys = await text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(keys).toEqual(['accumulate.summary']);
    const confirm = button('confirm');
    expect(await repliesAfter(confirm)).toEqual(['accumulate.done', ...(isStaff ? [] : ['privacy.consent'])]);
    if (!isStaff) expect(await press('consent:decline')).toEqual(['privacy.declined']);
    // Pressed again, it is out of date and changes nothing.
    expect(await repliesAfter(confirm)).toEqual(['choice.expired']);
  });

  it('earns points question by question: a message that comes twice counts once, an answer may be skipped', async () => {
    const { customer, text, press, repliesAfter } = await startBot(create);
    const twice = async () => {
      await customer.text('tích điểm', '7001');
      await customer.text('tích điểm', '7001');
    };
    expect(await repliesAfter(twice)).toEqual(['accumulate.askCode']);
    expect(await text('TIVI000000017', '7002')).toEqual(['accumulate.askPhone']);
    expect(await text('blah blah blah')).toContain('accumulate.askPhone');
    const afterPhone = await text('0912345678');
    // Where the platform vouches for an e-mail, it is not asked for.
    if (afterPhone[0] === 'accumulate.askEmail') {
      expect(await press('skip')).toEqual(['accumulate.summary']);
    } else expect(afterPhone).toEqual(['accumulate.summary']);
    expect(await press('edit:code')).toEqual(['accumulate.askCode']);
    expect(await text('TIVI000000018')).toEqual(['accumulate.summary']);
    expect(await press('cancel')).toEqual(['cancel.done']);
  });
}

function describeOperations(create: CreateChannel): void {
  it('spends points on a gift once the customer is proved', async () => {
    const { customer, text, press, repliesAfter } = await startBot(create);
    const asked = await text('đổi quà DAUMAY01');
    if (customer.prove) {
      expect(asked).not.toContain('redeem.summary');
      expect(await repliesAfter(customer.prove)).toEqual(['redeem.summary']);
    } else expect(asked).toEqual(['redeem.summary']);
    expect((await press('confirm'))[0]).toBe('redeem.done');
  });

  it('shows a history, and turns its pages', async () => {
    const { customer, text, press, repliesAfter } = await startBot(create);
    const asked = await text('lịch sử');
    if (customer.prove) expect(await repliesAfter(customer.prove)).toEqual(['history.page']);
    else expect(asked).toEqual(['history.page']);
    expect(await press('period:all')).toEqual(['history.page']);
    expect(await press('next')).toEqual(['history.page']);
    expect(await press('previous')).toEqual(['history.page']);
  });

  it('answers what it cannot read, help in the middle, takes the code in a photo, and changes its language', async () => {
    const { customer, text, press, repliesAfter } = await startBot(create);
    if (customer.unreadable) expect(await repliesAfter(customer.unreadable)).toEqual(['unreadable']);
    await text('tích điểm');
    expect(await text('trợ giúp')).toEqual(['help', 'accumulate.askCode']);
    if (customer.photo) expect(await repliesAfter(customer.photo)).toEqual(['accumulate.askPhone']);
    expect(await text('huỷ')).toEqual(['cancel.done']);
    expect(await text('đổi ngôn ngữ')).toEqual(['language.ask']);
    expect(await press('language:en')).toEqual(['language.done']);
    expect(await text('cancel')).toEqual(['cancel.nothing']);
    expect(customer.sees('There is nothing to cancel.')).toBe(true);
  });
}
