import Fastify from 'fastify';
import { onTestFinished } from 'vitest';
import type { Channel } from '../../src/channels/channel.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { type Incoming, incomingSchema, type Outgoing } from '../../src/engine/messages.ts';
import type { Guard } from '../../src/http/guard.ts';
import { problemHandler } from '../../src/http/problem.ts';
import type { Words } from '../../src/i18n.ts';

/** Keys instead of wording, so that tests go by what is said and not by how. `literal` says its own text. */
export const words: Words = {
  line({ key, context, params }, locale) {
    if (key === 'literal') return String(params?.text);
    return `${locale}:${key}${context ? `_${context}` : ''}`;
  },
  text: (reply, locale) => [reply, ...(reply.lines ?? [])].map((line) => words.line(line, locale)).join('\n'),
};

export const literal = (text: string) => ({ key: 'literal', params: { text } });
export const choice = (id: string, label = id) => ({ id, label: literal(label) });

const nothing = async () => undefined;
/** Lets everybody pass, as staff. */
export const OPEN_GUARD: Guard = {
  api: nothing,
  inbox: nothing,
  page: nothing,
  speaker: nothing,
  limitFailures: nothing,
  visitorOf: () => ({}),
  people: () => [],
};

/** What was handed on, as recorded samples say it. */
export function kindsOf(accepted: readonly Incoming[]): string[] {
  const messages = accepted.map((incoming) => incomingSchema.parse(incoming).message);
  return messages.map((message) => (message.kind === 'unknown' ? `unknown ${message.what}` : message.kind));
}

/** The only reply of a turn, but for what `more` says. */
export function outgoingOf(
  place: Pick<Outgoing, 'channel' | 'conversation' | 'address'>,
  reply: Reply,
  more: Partial<Outgoing>,
): Outgoing {
  const turn = { turn: 'm1', first: true, last: true, state: {}, atMs: 0 };
  return { ...place, ...turn, locale: 'vi', reply, ...more };
}

/** The channel's routes on a server; all of it, and the double of its platform, ends with the test. */
export async function serveChannel(channel: Channel, double: { close(): Promise<void> }) {
  const app = Fastify();
  app.setErrorHandler(problemHandler({ error() {} }));
  for (const plugin of [channel.plugin, channel.staffPlugin]) if (plugin) await app.register(plugin);
  onTestFinished(async () => {
    await channel.stop?.();
    await channel.close?.();
    await app.close();
    await double.close();
  });
  return app;
}
