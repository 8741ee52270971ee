import { createHmac, hash, randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Channel, ChannelEntry, ChannelParts, ChannelTraits } from '../../src/channels/channel.ts';
import { Events, Streams } from '../../src/channels/events.ts';
import { cut, decodeChoice, encodeChoice, senderOf } from '../../src/channels/platforms.ts';
import { MAX_TEXT, type Message } from '../../src/conversation/message.ts';
import type { Delivery, Outgoing } from '../../src/engine/messages.ts';
import { problem } from '../../src/http/problem.ts';
import { isSecret } from '../../src/http/secret.ts';
import type { Words } from '../../src/i18n.ts';
import { StoreUnavailable } from '../../src/store/port.ts';

/** A customer who is signed in to the site that the page is part of, or a guest, who has no proved e-mail. */
export type Member = { readonly id: string; readonly name: string; readonly email?: string };

/** Who sent a request, by the site's own session; undefined: the sender is not signed in. */
export type WhoIs = (request: FastifyRequest) => Member | undefined;

const WEB: ChannelTraits = {
  name: 'web',
  title: 'Web chat',
  // The site has checked the member's e-mail. A guest proves a phone by a one-time code.
  proof: 'profile',
  drawsForms: false,
  sharesContacts: false,
};

/**
 * A chat of text alone, at `/chat`, for the members of a site: messages by POST, replies as server-sent
 * events.
 */
export function webChat(whoIs: WhoIs): ChannelEntry<unknown> {
  return { traits: WEB, open: async (_settings, parts) => new WebChat(whoIs, parts) };
}

/**
 * What the page sends. The same `id` again is the same message. `seen`: the `seq` of the last reply that the
 * page shows; a number means a choice of what was seen. Other parts that are unreadable count as absent.
 */
const sentSchema = z.object({
  id: z.string().min(1).max(64),
  text: z.string().min(1).optional().catch(undefined),
  seen: z.int().optional().catch(undefined),
  opened: z.literal(true).optional().catch(undefined),
});
type Sent = z.infer<typeof sentSchema>;

/**
 * What the page shows. `turn`: the id of the message that it answers; `last` of that turn. `typed`: what
 * stands for a choice; `data`: the choice and the view of its question, so that a number from an old question
 * changes nothing.
 */
const eventSchema = z.strictObject({
  seq: z.int(),
  text: z.string(),
  choices: z.array(z.strictObject({ typed: z.string(), data: z.string() })),
  turn: z.string().optional(),
  last: z.boolean(),
});
type Event = z.infer<typeof eventSchema>;

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const [, script = ''] = page.split(/<\/?script>/);
const POLICY =
  `default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; ` +
  `script-src 'sha256-${hash('sha256', script, 'base64')}'`;

class WebChat implements Channel {
  readonly #whoIs: WhoIs;
  readonly #parts: ChannelParts;
  // Through the feed of the store a page hears the replies of every process, and after a cut connection those
  // it missed.
  readonly #events: Events<Event>;
  readonly #streams: Streams;
  #key: string | undefined;

  constructor(whoIs: WhoIs, parts: ChannelParts) {
    this.#whoIs = whoIs;
    this.#parts = parts;
    this.#events = new Events({ ...parts, channel: WEB.name, schema: eventSchema });
    this.#streams = new Streams();
  }

  greeting({ url }: { readonly url: string }): readonly string[] {
    return [`${WEB.title}: ${url}/chat`];
  }

  readonly plugin: FastifyPluginAsync = async (app) => {
    app.addHook('preClose', () => this.close());
    app.get('/chat', async (request, reply) => {
      if (!(await this.#find(request))) reply.header('set-cookie', await this.#inviteGuest());
      return reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(page);
    });
    // Only `application/json` is parsed, which no form of another site can send in the member's name.
    app.post('/chat/messages', (request, reply) => this.#receive(request, reply));
    app.get('/chat/events', async (request, reply) => {
      const member = await this.#find(request);
      if (!member) return this.#refuse(request, reply);
      const after = z.coerce.number().int().min(0).catch(0).parse(request.headers['last-event-id']);
      return this.#streams.answer(reply, (onEvent) => this.#events.follow(member.id, after, onEvent));
    });
  };

  deliver(outgoing: Outgoing, seq: number): Promise<Delivery> {
    return this.#events.deliver(outgoing, render(outgoing, seq, this.#parts.words));
  }

  async close(): Promise<void> {
    this.#streams.close();
  }

  /** The member, by the site's session, or a guest, by our cookie. */
  async #find(request: FastifyRequest): Promise<Member | undefined> {
    const member = this.#whoIs(request);
    if (member) return member;
    const [, id = '', mark = ''] =
      /\bguest=([\w-]{22})\.([\w-]{43})/.exec(request.headers.cookie ?? '') ?? [];
    return id !== '' && isSecret(mark, await this.#sign(id)) ? { id: `guest-${id}`, name: '' } : undefined;
  }

  async #inviteGuest(): Promise<string> {
    const id = randomBytes(16).toString('base64url');
    return `guest=${id}.${await this.#sign(id)}; Path=/chat; HttpOnly; SameSite=Strict; Max-Age=2592000`;
  }

  /** The key is the channel's own: the first process makes it, and the store keeps it for all. */
  async #sign(id: string): Promise<string> {
    const { secrets } = this.#parts;
    this.#key ??= await secrets.read('guests');
    if (this.#key === undefined) {
      const made = await secrets.replace(
        'guests',
        async (kept) => kept ?? randomBytes(32).toString('base64url'),
      );
      // Another process is making it: the page asks again.
      if (made === 'busy') throw new StoreUnavailable('the key is not made yet');
      this.#key = made.secret;
    }
    return createHmac('sha256', this.#key).update(id).digest('base64url');
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const member = await this.#find(request);
    if (!member) return this.#refuse(request, reply);
    const sent = sentSchema.safeParse(request.body).data;
    if (!sent) return problem(reply, 400, 'The body is no JSON object with an id.');
    const { id: conversation, name, email } = member;
    const filed = await this.#parts.accept({
      channel: WEB.name,
      conversation,
      id: sent.id,
      message: await this.#readMessage(conversation, sent),
      sender: { ...senderOf(WEB, request.headers['accept-language'], name), ...(email && { email }) },
      address: null,
    });
    // It is stored; where it cannot be, `accept` rejects, which the app answers with 503.
    return filed === 'full' ? problem(reply, 429, 'Too many messages wait.') : reply.code(202).send();
  }

  /** A text that stands for a choice becomes the press of a button. */
  async #readMessage(conversation: string, { text, seen, opened }: Sent): Promise<Message> {
    if (text === undefined) return opened ? { kind: 'start' } : { kind: 'unknown', what: 'other' };
    const typed = text.trim();
    const data = SHORT_NUMBER.test(typed) ? await this.#findChoice(conversation, typed, seen) : undefined;
    if (data !== undefined) return { kind: 'choice', ...decodeChoice(data) };
    return { kind: 'text', text: cut(text, MAX_TEXT) };
  }

  /** A number means the newest list that was seen. A code is found in older replies, too: it is used once. */
  async #findChoice(conversation: string, typed: string, seen = Number.MAX_SAFE_INTEGER) {
    const kept: Event[] = [];
    const unfollow = await this.#events.follow(conversation, 0, (event) => void kept.push(event));
    unfollow();
    for (const event of kept.reverse()) {
      const choices = event.seq <= seen ? event.choices : [];
      const found = choices.find((choice) => choice.typed === typed);
      if (found || (choices.length > 0 && typed.length < CODE_LENGTH)) return found?.data;
    }
    return undefined;
  }

  async #refuse(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    this.#parts.observe.update(WEB.name, 'refused');
    return (await this.#parts.limit(request, reply)) ?? problem(reply, 401, 'Nobody is signed in.');
  }
}

const SHORT_NUMBER = /^\d{1,4}$/;
const CODE_LENGTH = 4;

/** A reply as text: its choices are numbered, but for one that confirms, which wants a one-time code. */
function render({ reply, locale, turn, last }: Outgoing, seq: number, words: Words): Event {
  const { choices: offered = [], view } = reply;
  const choices = offered.map(({ id }, index) => ({
    typed: id.startsWith('confirm:') ? String(randomInt(1000, 10_000)) : String(index + 1),
    data: encodeChoice(id, view),
  }));
  const lines = offered.map(({ label }, index) => `${choices[index]?.typed}: ${words.line(label, locale)}`);
  return { seq, text: [words.text(reply, locale), ...lines].join('\n'), choices, turn, last };
}
