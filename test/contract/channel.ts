import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Channel, ChannelParts } from '../../src/channels/channel.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Outgoing } from '../../src/engine/messages.ts';
import { problemHandler } from '../../src/http/problem.ts';
import { createWords } from '../../src/i18n.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryFeed, createMemoryStore } from '../../src/store/memory.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS, succeed } from '../support/dialogue.ts';
import { recordingObserve } from '../support/observe.ts';
import { readerOf } from '../support/photos.ts';

/** What a picture's code says. */
const PHOTOGRAPHED = 'TIVI000000017';

/** A customer of a platform. Each act resolves once its request was answered with success. */
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
};

type Parts = 'accept' | 'words' | 'observe' | 'encryption' | 'feed' | 'photoReader';

/** Makes the channel before a double of its platform; mounted, started and ended by the suite. */
export type CreateChannel = (parts: Pick<ChannelParts, Parts>) => Promise<{
  readonly channel: Channel;
  /** Staff vouch for what they send: they are not asked whether they want to be remembered. */
  readonly isStaff?: true;
  listening(url: string): Customer;
}>;

/** The bot around a channel: everything real but AntCRM, which has a good day. */
async function startBot(create: CreateChannel) {
  const encryption = createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });
  const { observe } = recordingObserve();
  const words = createWords({ timeZone: SETTINGS.timeZone });
  const delivered: Outgoing[] = [];
  const news = new EventTarget();
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
  const made = await create({ accept: engine.accept, words, observe, encryption, feed, photoReader });
  const deliver = made.channel.deliver.bind(made.channel);
  channel = Object.assign(made.channel, {
    async deliver(outgoing: Outgoing, seq: number) {
      const delivery = await deliver(outgoing, seq);
      delivered.push(outgoing);
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

  /** The keys of what the bot says to an act, once all of it was delivered; and the customer has seen each. */
  async function said(act: () => Promise<void>): Promise<string[]> {
    const before = delivered.length;
    await act();
    while (!delivered.slice(before).some(({ last }) => last)) await once(news, 'delivered');
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
    customer,
    button,
    isStaff: made.isStaff === true,
    said,
    text: (text: string, id?: string) => said(() => customer.text(text, id)),
    press: (choice: string) => said(button(choice)),
  };
}

/** The same conversation, by the same keys, whatever the platform. */
export function channelContract(name: string, create: CreateChannel): void {
  describe(`${name}, as every channel,`, () => {
    it('earns points by one message, once; of customers, consent is asked', async () => {
      const { text, button, press, said, isStaff } = await startBot(create);
      const keys = await text('tích điểm TIVI000000017 0912345678 minh@example.vn');
      expect(keys).toEqual(['accumulate.summary']);
      const confirm = button('confirm');
      expect(await said(confirm)).toEqual(['accumulate.done', ...(isStaff ? [] : ['privacy.consent'])]);
      if (!isStaff) expect(await press('consent:decline')).toEqual(['privacy.declined']);
      // Pressed again, it is out of date and changes nothing.
      expect(await said(confirm)).toEqual(['choice.expired']);
    });

    it('earns points question by question: a message that comes twice counts once, an answer may be skipped', async () => {
      const { customer, text, press, said } = await startBot(create);
      const twice = async () => {
        await customer.text('tích điểm', '7001');
        await customer.text('tích điểm', '7001');
      };
      expect(await said(twice)).toEqual(['accumulate.askCode']);
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

    it('spends points on a gift once who it is was proved', async () => {
      const { customer, text, press, said } = await startBot(create);
      const asked = await text('đổi quà DAUMAY01');
      if (customer.prove) {
        expect(asked).not.toContain('redeem.summary');
        expect(await said(customer.prove)).toEqual(['redeem.summary']);
      } else expect(asked).toEqual(['redeem.summary']);
      expect((await press('confirm'))[0]).toBe('redeem.done');
    });

    it('shows a history, and turns its pages', async () => {
      const { customer, text, press, said } = await startBot(create);
      const asked = await text('lịch sử');
      if (customer.prove) expect(await said(customer.prove)).toEqual(['history.page']);
      else expect(asked).toEqual(['history.page']);
      expect(await press('period:all')).toEqual(['history.page']);
      expect(await press('next')).toEqual(['history.page']);
      expect(await press('previous')).toEqual(['history.page']);
    });

    it('answers what it cannot read, help in the middle, takes the code in a photo, and changes its language', async () => {
      const { customer, text, press, said } = await startBot(create);
      if (customer.unreadable) expect(await said(customer.unreadable)).toEqual(['unreadable']);
      await text('tích điểm');
      expect(await text('trợ giúp')).toEqual(['help', 'accumulate.askCode']);
      if (customer.photo) expect(await said(customer.photo)).toEqual(['accumulate.askPhone']);
      expect(await text('huỷ')).toEqual(['cancel.done']);
      expect(await text('đổi ngôn ngữ')).toEqual(['language.ask']);
      expect(await press('language:en')).toEqual(['language.done']);
      expect(await text('cancel')).toEqual(['cancel.nothing']);
      expect(customer.sees('There is nothing to cancel.')).toBe(true);
    });
  });
}
