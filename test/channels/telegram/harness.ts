import Fastify from 'fastify';
import { onTestFinished } from 'vitest';
import type { Accept } from '../../../src/channels/channel.ts';
import { createTelegram, type TelegramOptions } from '../../../src/channels/telegram/telegram.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming, Outgoing } from '../../../src/engine/messages.ts';
import { problemHandler } from '../../../src/http/problem.ts';
import type { Words } from '../../../src/i18n.ts';
import { commands } from '../../support/conversation.ts';
import { mountChannel } from '../../support/mount.ts';
import { recordingObserve } from '../../support/observe.ts';
import { startTelegramDouble } from '../../support/telegram-double.ts';

export const SECRET = 'webhook-secret_1';
export const CHAT = 42;

/** Keys instead of wording, so that tests go by what is said and not by how. `literal` says its own text. */
export const words: Words = {
  line: ({ key, params }, locale) => (key === 'literal' ? String(params?.text) : `${locale}:${key}`),
  text: (reply, locale) => [reply, ...(reply.lines ?? [])].map((line) => words.line(line, locale)).join('\n'),
};

export const literal = (text: string) => ({ key: 'literal', params: { text } });

/** A Telegram that takes whatever comes. */
export const ANY_PACE: TelegramOptions['pace'] = { take: async () => 0, refused: async () => {} };

/** A Telegram channel before a double of Telegram; `accepted` is what it handed on. Ends with the test. */
export async function createBot(options: Partial<TelegramOptions> = {}) {
  const double = await startTelegramDouble();
  const { observe, said } = recordingObserve();
  const accepted: Incoming[] = [];
  const accept: Accept = async (incoming) => {
    accepted.push(incoming);
    return 'accepted';
  };
  const channel = createTelegram({
    token: double.token,
    secret: SECRET,
    apiRoot: double.url,
    mode: 'webhook',
    defaultLocale: 'vi',
    limit: async () => undefined,
    accept,
    words,
    commands,
    observe,
    pace: ANY_PACE,
    pauseMs: 5,
    ...options,
  });
  const app = Fastify();
  app.setErrorHandler(problemHandler(observe.log));
  await mountChannel(app, channel);
  onTestFinished(async () => {
    await channel.stop?.();
    await channel.close?.();
    await app.close();
    await double.close();
  });
  return { double, channel, app, accepted, said };
}

export function outgoing(reply: Reply, more: Partial<Outgoing> = {}): Outgoing {
  return {
    channel: 'telegram',
    conversation: String(CHAT),
    address: { chat: CHAT },
    locale: 'vi',
    reply,
    turn: 'u1',
    first: true,
    last: true,
    state: {},
    atMs: 0,
    ...more,
  };
}

export const choice = (id: string, label = id) => ({ id, label: literal(label) });
