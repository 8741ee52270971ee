import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Channel, ChannelEntry, ChannelParts, ChannelTraits } from '../../src/channels/channel.ts';
import { Events, Streams } from '../../src/channels/events.ts';
import { cut, decodeChoice, encodeChoice, localeOf } from '../../src/channels/platforms.ts';
import { MAX_TEXT, type Message } from '../../src/conversation/message.ts';
import type { Outgoing } from '../../src/engine/messages.ts';
import { problem } from '../../src/http/problem.ts';
import type { Words } from '../../src/i18n.ts';

/** A customer who is signed in to the site that the page is part of. */
export type Member = { readonly id: string; readonly name: string; readonly email: string };

/** Who sent a request, by the site's own session; undefined: nobody who is signed in. */
export type WhoIs = (request: FastifyRequest) => Member | undefined;

const WEB: ChannelTraits = {
  name: 'web',
  title: 'Web chat',
  // The site has checked the e-mail of whoever is signed in.
  proof: 'profile',
  drawsForms: false,
  sharesContacts: false,
};

/** A chat page at `/chat` for the members of a site: messages by POST, replies as server-sent events. */
export function webChat(whoIs: WhoIs): ChannelEntry<unknown> {
  return { traits: WEB, open: async (_settings, parts) => createWebChat(whoIs, parts) };
}

/** What the page sends. The same `id` again is the same message; what is unreadable beside it is answered all the same. */
const saidSchema = z.object({
  id: z.string().min(1).max(64),
  text: z.string().min(1).optional().catch(undefined),
  pressed: z.string().max(200).optional().catch(undefined),
  opened: z.literal(true).optional().catch(undefined),
});

/** What the page shows. `turn`: the id of the message that it answers; `last` of that turn. */
const eventSchema = z.strictObject({
  seq: z.int(),
  text: z.string(),
  buttons: z.array(z.strictObject({ label: z.string(), data: z.string() })),
  inPlace: z.boolean(),
  turn: z.string().optional(),
  last: z.boolean(),
});
type Event = z.infer<typeof eventSchema>;

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const [, script = ''] = page.split(/<\/?script>/);
const POLICY =
  `default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; ` +
  `script-src 'sha256-${hash('sha256', script, 'base64')}'`;

function createWebChat(
  whoIs: WhoIs,
  { accept, words, observe, limit, encryption, feed }: ChannelParts,
): Channel {
  // Through the feed of the store a page hears the replies of every process, and after a cut connection those it missed.
  const events = new Events({ channel: WEB.name, schema: eventSchema, feed, encryption, observe });
  const streams = new Streams<Event>((...following) => events.follow(...following));

  async function refuse(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    observe.update(WEB.name, 'refused');
    return (await limit(request, reply)) ?? problem(reply, 401, 'Nobody is signed in.');
  }

  return {
    greeting: ({ url }) => [`${WEB.title}: ${url}/chat`],
    async plugin(app) {
      app.addHook('preClose', async () => streams.close());

      app.get('/chat', async (_request, reply) =>
        reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(page),
      );

      // Only `application/json` is parsed, which no form of another site can send in the member's name.
      app.post('/chat/messages', async (request, reply) => {
        const member = whoIs(request);
        if (!member) return refuse(request, reply);
        const said = saidSchema.safeParse(request.body).data;
        if (!said) return problem(reply, 400, 'The body is no JSON object with an id.');
        const { id: conversation, name, email } = member;
        const locale = localeOf(request.headers['accept-language']);
        const sender = { channel: WEB.name, proof: WEB.proof, locale, name, email };
        const message = messageOf(said);
        // Resolves once the message is stored; rejects where it cannot be, which the app answers with 503.
        const filed = await accept({
          channel: WEB.name,
          conversation,
          id: said.id,
          message,
          sender,
          address: null,
        });
        return filed === 'full' ? problem(reply, 429, 'Too many messages wait.') : reply.code(202).send();
      });

      app.get('/chat/events', async (request, reply) => {
        const member = whoIs(request);
        if (!member) return refuse(request, reply);
        const after = z.coerce.number().int().min(0).catch(0).parse(request.headers['last-event-id']);
        return streams.answer(reply, member.id, after);
      });
    },
    deliver: (outgoing, seq) => events.deliver(outgoing, render(outgoing, seq, words)),
    close: async () => streams.close(),
  };
}

function messageOf({ text, pressed, opened }: z.infer<typeof saidSchema>): Message {
  if (text !== undefined) return { kind: 'text', text: cut(text, MAX_TEXT) };
  if (pressed !== undefined) return { kind: 'choice', ...decodeChoice(pressed) };
  return opened ? { kind: 'start' } : { kind: 'unknown', what: 'other' };
}

function render({ reply, locale, turn, last }: Outgoing, seq: number, words: Words): Event {
  const { choices = [], view, inPlace = false } = reply;
  const buttons = choices.map(({ id, label }) => ({
    label: words.line(label, locale),
    data: encodeChoice(id, view),
  }));
  return { seq, text: words.text(reply, locale), buttons, inPlace, turn, last };
}
