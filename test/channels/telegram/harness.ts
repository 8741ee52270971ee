import type { Accept, Channel } from '../../../src/channels/channel.ts';
import { TelegramChannel, type TelegramOptions } from '../../../src/channels/telegram/telegram.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming, Outgoing } from '../../../src/engine/messages.ts';
import { createQrWriter } from '../../../src/photos/qr.ts';
import { commands } from '../../support/conversation.ts';
import { recordingObserve } from '../../support/observe.ts';
import { startTelegramDouble } from '../../support/telegram-double.ts';
import { outgoingOf, serveChannel, words } from '../harness.ts';

export const SECRET = 'webhook-secret_1';
export const CHAT = 42;

/**
 * A Telegram channel before a double of Telegram that takes whatever comes; `accepted` is what it handed on.
 */
export async function createBot(options: Partial<TelegramOptions> = {}) {
  const double = await startTelegramDouble();
  const { observe, observed } = recordingObserve();
  const accepted: Incoming[] = [];
  const accept: Accept = async (incoming) => {
    accepted.push(incoming);
    return 'accepted';
  };
  const channel: Channel = new TelegramChannel({
    token: double.token,
    secret: SECRET,
    apiRoot: double.url,
    defaultLocale: 'vi',
    limit: async () => undefined,
    drawQr: createQrWriter(),
    accept,
    words,
    commands,
    observe,
    limiter: { take: () => 0, note() {} },
    pauseMs: 5,
    ...options,
  });
  return { double, channel, app: await serveChannel(channel, double), accepted, observed };
}

export function outgoing(reply: Reply, more: Partial<Outgoing> = {}): Outgoing {
  const place = { channel: 'telegram', conversation: String(CHAT), address: { chat: CHAT } };
  return outgoingOf(place, reply, more);
}
