import { randomBytes } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { createClient } from '../../../src/channels/staff/client.ts';
import { StaffChannel, type StaffOptions } from '../../../src/channels/staff/staff.ts';
import { CHANNELS } from '../../../src/channels.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming } from '../../../src/engine/messages.ts';
import { type AccessSettings, createGuard, type Guard } from '../../../src/http/guard.ts';
import { notFound, problemHandler } from '../../../src/http/problem.ts';
import { createEncryption } from '../../../src/store/encryption.ts';
import { createMemoryFeed } from '../../../src/store/memory.ts';
import { NO_READER } from '../../support/photos.ts';
import { outgoingOf, words } from '../harness.ts';

/** The app's channels, whom staff may imitate. */
export const TRAITS = CHANNELS.map(({ traits }) => traits);

export type Kit = Awaited<ReturnType<typeof startKit>>;

export type KitOptions = Partial<Pick<StaffOptions, 'accept' | 'feed' | 'answerMs' | 'photoReader'>> & {
  readonly access?: AccessSettings;
  readonly streams?: StaffOptions['limits'];
  /** How the engine answers a message; by default with one reply. `null`: not yet. */
  readonly answer?: (incoming: Incoming) => readonly Reply[] | null;
  /** Other routes of the app, before the channel's. */
  readonly mount?: (app: FastifyInstance, guard: Guard) => Promise<void>;
  /** To find in a shared feed what another kit published, under other keys. */
  readonly hashKey?: Buffer;
};

/** The staff channel on a real server, over the memory feed, with an engine that answers by rote. */
export async function startKit(options: KitOptions = {}) {
  const { access = { sandbox: true }, streams, mount, ...more } = options;
  const { answer = () => [{ key: 'help.text' }], hashKey = randomBytes(32), ...given } = more;
  const { feed = createMemoryFeed() } = given;
  const accepted: Incoming[] = [];
  const alarms: string[] = [];
  /** Results of messages that the channel itself counted. */
  const counted: string[] = [];
  let seq = 0;

  /** Delivers a turn's replies; without `turn`, what the bot says of itself. */
  async function deliver(conversation: string, replies: readonly Reply[], turn?: string): Promise<void> {
    for (const [at, reply] of replies.entries()) {
      const place = { channel: 'staff', conversation, address: null };
      const state = { ...(reply.asks && { flow: 'accumulate', asks: reply.asks }) };
      const where = { turn, first: at === 0, last: at === replies.length - 1, state };
      await channel.deliver(outgoingOf(place, reply, where), ++seq);
    }
  }

  const app = Fastify();
  app.setErrorHandler(problemHandler({ error() {} }));
  app.setNotFoundHandler(notFound);
  await app.register(rateLimit, { global: false });
  const guard = createGuard(app, access);
  const channel = new StaffChannel({
    async accept(incoming) {
      if (accepted.some(({ id }) => id === incoming.id)) return 'duplicate';
      accepted.push(incoming);
      const replies = answer(incoming);
      if (replies) void deliver(incoming.conversation, replies, incoming.id);
      return 'accepted';
    },
    encryption: createEncryption({ key: randomBytes(32), hashKey }),
    words,
    guard,
    channels: TRAITS,
    observe: {
      update: (_channel, result) => counted.push(result),
      photo: (_channel, reading) => counted.push(reading),
      alarm: (name) => alarms.push(name),
    },
    photoReader: NO_READER,
    audited: false,
    limits: streams,
    ...given,
    feed,
  });

  await mount?.(app, guard);
  await app.register(channel.staffPlugin);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    // Clients open connections ahead; the server would wait for their first request.
    app.server.closeAllConnections();
    await app.close();
    await feed.close();
  });

  const client = createClient(url, access.token);
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/webhooks/staff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { app, url, client, accepted, alarms, counted, hashKey, channel, deliver, post };
}
