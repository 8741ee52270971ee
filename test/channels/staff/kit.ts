import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { createClient } from '../../../src/channels/staff/client.ts';
import { StaffChannel, type StaffOptions } from '../../../src/channels/staff/staff.ts';
import { CHANNELS } from '../../../src/channels.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming } from '../../../src/engine/messages.ts';
import {
  type AccessSettings,
  createGuard,
  createLimits,
  type Guard,
  type Rates,
} from '../../../src/http/guard.ts';
import { notFound, problemHandler } from '../../../src/http/problem.ts';
import type { Alarm, Fields } from '../../../src/observability/log.ts';
import { createEncryption } from '../../../src/store/encryption.ts';
import { createMemoryFeed } from '../../../src/store/memory.ts';
import type { Feed } from '../../../src/store/port.ts';
import { mountChannel } from '../../support/mount.ts';
import { NO_READER } from '../../support/photos.ts';
import { outgoingOf, words } from '../harness.ts';

/** The app's channels, whom staff may imitate. */
export const TRAITS = CHANNELS.map(({ traits }) => traits);

export type Kit = Awaited<ReturnType<typeof startKit>>;

export type KitOptions = {
  readonly access?: AccessSettings;
  readonly limits?: Rates;
  /** How the engine answers a message; by default with one reply. `null`: not yet. */
  readonly answer?: (incoming: Incoming) => readonly Reply[] | null;
  /** In place of the engine. */
  readonly accept?: StaffOptions['accept'];
  /** Other routes of the app, before the channel's. */
  readonly mount?: (app: FastifyInstance, guard: Guard) => Promise<void>;
  readonly feed?: Feed;
  /** To find in a shared feed what another kit published, under other keys. */
  readonly hashKey?: Buffer;
} & Partial<Pick<StaffOptions, 'audited' | 'answerMs' | 'photoReader'>> & {
    readonly streams?: StaffOptions['limits'];
  };

/** The staff channel on a real server, over the memory feed, with an engine that answers by rote. */
export async function startKit(options: KitOptions = {}) {
  const {
    access = { sandbox: true },
    answer = () => [{ key: 'help.text' }],
    feed = createMemoryFeed(),
  } = options;
  const accepted: Incoming[] = [];
  const alarms: { name: Alarm; fields: Fields }[] = [];
  /** Results of messages that the channel itself counted. */
  const counted: string[] = [];
  const hashKey = options.hashKey ?? randomBytes(32);
  const seen = new Set<string>();
  let seq = 0;

  /** Delivers a turn's replies; without `turn`, what the bot says of itself. Gives the numbers. */
  async function deliver(conversation: string, replies: readonly Reply[], turn?: string): Promise<number[]> {
    const numbers: number[] = [];
    for (const [at, reply] of replies.entries()) {
      seq += 1;
      numbers.push(seq);
      const last = at === replies.length - 1;
      const place = { channel: 'staff', conversation, address: null };
      const state = { ...(reply.asks && { flow: 'accumulate', asks: reply.asks }) };
      await channel.deliver(outgoingOf(place, reply, { turn, first: at === 0, last, state }), seq);
    }
    return numbers;
  }

  const app = Fastify();
  app.setErrorHandler(problemHandler({ error() {} }));
  app.setNotFoundHandler(notFound);
  const guard = createGuard(await createLimits(app), access, options.limits);
  const channel = new StaffChannel({
    accept:
      options.accept ??
      (async (incoming) => {
        const id = `${incoming.conversation}/${incoming.id}`;
        if (seen.has(id)) return 'duplicate';
        seen.add(id);
        accepted.push(incoming);
        const replies = answer(incoming);
        if (replies) void deliver(incoming.conversation, replies, incoming.id);
        return 'accepted';
      }),
    feed,
    encryption: createEncryption({ key: randomBytes(32), hashKey }),
    words,
    guard,
    channels: TRAITS,
    observe: {
      update: (_channel, result) => counted.push(result),
      photo: (_channel, reading) => counted.push(reading),
      alarm: (name, fields) => alarms.push({ name, fields }),
    },
    photoReader: options.photoReader ?? NO_READER,
    audited: options.audited ?? false,
    answerMs: options.answerMs,
    limits: options.streams,
  });

  await options.mount?.(app, guard);
  await mountChannel(app, channel);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    // Clients open connections ahead; the server would wait for their first request.
    app.server.closeAllConnections();
    await app.close();
    await feed.close();
  });

  return {
    app,
    url,
    client: createClient(url, access.token),
    accepted,
    alarms,
    counted,
    feed,
    hashKey,
    channel,
    deliver,
    post: (body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${url}/webhooks/staff`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}
