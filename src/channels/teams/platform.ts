import { ActivityTypes } from 'botbuilder';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Sender } from '../../conversation/message.ts';
import type { Reply } from '../../conversation/reply.ts';
import type {
  Delivery,
  FetchedMedia,
  Incoming,
  MediaBounds,
  Outgoing,
  Platform,
} from '../../engine/messages.ts';
import { type Exchange, type HttpRequest, Transport } from '../../http/transport.ts';
import type { ChannelParts } from '../channel.ts';
import { failureOf, meaningOf, mediaIn, type PlatformAnswer, parseJson } from '../platforms.ts';
import { placeOf, pressSchema, TEAMS_HOSTS, type TeamsPlace, trustHosts } from './address.ts';
import { Cloud, type Registration } from './authentication.ts';
import type { KeysRuntime } from './keys.ts';
import { render, type TeamsReply } from './render.ts';

/** The part of the configuration that Teams reads. */
export type TeamsConfig = {
  /** Undefined: `TEAMS_AUTH=off`. */
  readonly registration?: Registration | undefined;
  /** Undefined: Microsoft's. */
  readonly serviceHosts?: readonly string[] | undefined;
  /** Directories whose profile e-mails count as proved. */
  readonly trustedTenants: readonly string[];
};

/** The parts that Teams needs; the times are for tests. */
export type TeamsOptions = Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'observe' | 'drawQr'> & {
  readonly config: TeamsConfig;
  /** Of sending a reply. */
  readonly timeoutMs?: number | undefined;
  readonly watchMs?: number | undefined;
  readonly runtime?: KeysRuntime | undefined;
};

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** How long reading a profile may take, how many are kept, and for how long. */
const LOOKUP_MS = 1_500;
const PROFILES = { max: 5_000, ttl: 60 * 60 * 1000 };

const HEADERS = { accept: 'application/json', 'content-type': 'application/json' };

type Arrival = Pick<Incoming, 'sender' | 'address' | 'conversation'>;

const pictureSchema = z.object({ url: z.string() });

/** The Bot Connector over our transport, because the SDK's client repeats calls by itself. */
export class TeamsPlatform implements Platform {
  /** Undefined: no authentication. */
  protected readonly cloud: Cloud | undefined;
  protected readonly trust: ReturnType<typeof trustHosts>;
  /** Whether the last answer refused our token or our bot. */
  protected isRefused = false;
  readonly #options: TeamsOptions;
  readonly #transport = new Transport();
  readonly #trustedTenants: ReadonlySet<string>;
  /** By directory and object id. */
  readonly #profiles = new LRUCache<string, Pick<Sender, 'email'>>(PROFILES);

  constructor(options: TeamsOptions) {
    const { registration, serviceHosts = TEAMS_HOSTS, trustedTenants } = options.config;
    const { runtime } = options;
    this.#options = options;
    this.cloud = registration && new Cloud(registration, { transport: this.#transport, runtime });
    this.trust = trustHosts(serviceHosts, registration === undefined);
    this.#trustedTenants = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  }

  /** A page replaces the card of the pressed button. Other replies are new. */
  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const place = placeOf(outgoing);
    if (!place) return { kind: 'rejected' };
    const { reply, locale } = outgoing;
    const { words } = this.#options;
    const plain = render(reply, locale, words);
    const rendered = reply.qr === undefined ? plain : render(await this.#withQr(reply), locale, words);
    const press = reply.inPlace && pressSchema.safeParse(outgoing.press).data;
    if (press) {
      const delivery = await this.#put(place, { ...rendered, id: press.activity });
      // That card cannot be edited.
      if (delivery.kind !== 'rejected' && delivery.kind !== 'unreachable') return delivery;
    }
    const delivery = await this.#put(place, rendered);
    // A receipt never fails for its picture.
    return delivery.kind === 'rejected' && rendered !== plain ? this.#put(place, plain) : delivery;
  }

  /** A card has the picture of a QR code within itself. */
  async #withQr(reply: Reply): Promise<Reply> {
    if (reply.qr === undefined) return reply;
    const picture = await this.#options.drawQr(reply.qr);
    return picture ? { ...reply, image: `data:image/png;base64,${picture.toString('base64')}` } : reply;
  }

  recallSender(incoming: Arrival): Sender | undefined {
    const { tenant, person } = placeOf(incoming) ?? {};
    // Administrators of other directories could write any e-mail into a profile.
    const mayProve = tenant && person && this.#trustedTenants.has(tenant);
    const proof = mayProve ? this.#profiles.get(`${tenant}/${person}`) : {};
    return proof && { ...incoming.sender, ...proof };
  }

  async identify(incoming: Arrival): Promise<Sender> {
    const { sender } = incoming;
    const place = placeOf(incoming);
    const recalled = this.recallSender(incoming);
    if (recalled || !place) return recalled ?? sender;
    const { user, tenant = '', person = '' } = place;
    const path = `members/${encodeURIComponent(user)}`;
    const call = { method: 'GET', path, timeoutMs: LOOKUP_MS } as const;
    const { meaning, content } = await this.#call(place, call);
    // Only members have a profile.
    if (meaning.kind === 'unreachable') return sender;
    if (meaning.kind !== 'delivered') return { ...sender, unread: true };
    const proof = proofIn(parseJson(String(content)), tenant, person);
    this.#profiles.set(`${tenant}/${person}`, proof);
    return { ...sender, ...proof };
  }

  async working(incoming: Pick<Incoming, 'address' | 'conversation'>): Promise<void> {
    const place = placeOf(incoming);
    if (place) await this.#put(place, { type: ActivityTypes.Typing });
  }

  /** The sender chose the address. */
  async fetchMedia(
    _place: unknown,
    media: unknown,
    { maxBytes, timeoutMs }: MediaBounds,
  ): Promise<FetchedMedia> {
    const { url = '' } = pictureSchema.safeParse(media).data ?? {};
    const at = this.trust(url);
    if (!at) return { kind: 'gone' };
    const headers = await this.#authorize();
    if (!headers) return { kind: 'unavailable' };
    const { origin, pathname: path } = at;
    const bounds = { timeoutMs: Math.min(this.#options.timeoutMs ?? timeoutMs, timeoutMs), maxBytes };
    return mediaIn(await this.#transport.open({ method: 'GET', origin, path, headers, ...bounds }));
  }

  close(): Promise<void> {
    this.cloud?.keys.close();
    return this.#transport.close();
  }

  /** Sends an activity to a conversation. With an `id`, it replaces that activity. */
  async #put(place: TeamsPlace, activity: TeamsReply): Promise<Delivery> {
    const { conversation, bot, user } = place;
    const { id } = activity;
    const people = { from: { id: bot }, recipient: { id: user } };
    const { meaning } = await this.#call(place, {
      method: id === undefined ? 'POST' : 'PUT',
      path: id === undefined ? 'activities' : `activities/${encodeURIComponent(id)}`,
      body: JSON.stringify({ ...activity, ...people, conversation: { id: conversation } }),
      timeoutMs: this.#options.timeoutMs ?? TIMEOUT_MS,
    });
    return meaning;
  }

  /** Calls the connector about a conversation, whose path is put before `path`. */
  async #call(
    { service, conversation }: TeamsPlace,
    { path, ...call }: Pick<HttpRequest, 'method' | 'path' | 'body' | 'timeoutMs'>,
  ): Promise<ConnectorAnswer> {
    const at = this.trust(service);
    if (!at) return { meaning: { kind: 'rejected' } };
    const base = `${at.pathname.replace(/\/$/, '')}/v3/conversations`;
    const exchange = await this.#send({
      ...call,
      origin: at.origin,
      path: `${base}/${encodeURIComponent(conversation)}/${path}`,
      headers: HEADERS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const answer = readAnswer(exchange);
    if (exchange) this.isRefused = answer.meaning.kind === 'unauthorized';
    return answer;
  }

  /** Sends with our token, a new one after a refusal. Null: without one nothing is sent. */
  async #send(call: HttpRequest): Promise<Exchange | null> {
    const ours = await this.#authorize();
    return ours && this.#transport.exchange({ ...call, headers: { ...call.headers, ...ours } });
  }

  /** The header with our token; null: we get none. */
  async #authorize(): Promise<Readonly<Record<string, string>> | null> {
    if (!this.cloud) return {};
    const token = await this.cloud.token(this.isRefused).catch(() => undefined);
    return token === undefined ? null : { authorization: `Bearer ${token}` };
  }
}

const text = z.string().trim().toLowerCase().optional().catch(undefined);
const memberSchema = z
  .object({ email: text, aadObjectId: text, objectId: text, tenantId: text, userRole: text })
  .catch({});

/**
 * The e-mail of a member of the directory: a guest's comes from another one. A profile proves nothing unless
 * it names the person, the directory and the role.
 */
function proofIn(member: unknown, tenant: string, person: string): Pick<Sender, 'email'> {
  const { email, objectId, aadObjectId = objectId, tenantId, userRole } = memberSchema.parse(member);
  const isMember = aadObjectId === person && tenantId === tenant && userRole === 'user';
  return isMember && email ? { email } : {};
}

/** An answer of the connector. `content`: outside data. */
type ConnectorAnswer = { readonly meaning: Delivery; readonly content?: Buffer };

/** Null: we got no token, and nothing was sent. */
function readAnswer(exchange: Exchange | null): ConnectorAnswer {
  if (exchange === null) return { meaning: { kind: 'unauthorized' } };
  if (exchange.kind !== 'answered') return { meaning: failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  return { meaning: meaningOf({ status, afterMs, says: whoRefuses(status, content) }), content };
}

/** The connector's code says who refuses: the customer or the service. */
function whoRefuses(status: number, content: Buffer): PlatformAnswer['says'] {
  if (status === 404) return 'unreachable';
  if (status !== 403) return undefined;
  const { code } = goneSchema.safeParse(parseJson(content.toString())).data?.error ?? {};
  if (code === undefined) return 'unauthorized';
  return BLOCKED.some((blocked) => blocked === code) ? 'blocked' : 'unreachable';
}

/**
 * Codes of 403 if a customer (`BLOCKED`) or an administrator removed the bot (msteams-docs, "Status codes
 * from bot conversational APIs").
 */
const BLOCKED = ['MessageWritesBlocked', 'ConversationBlockedByUser', 'BotNotInConversationRoster'] as const;
const GONE = [...BLOCKED, 'BotDisabledByAdmin', 'ForbiddenOperationException'] as const;
const goneSchema = z.object({ error: z.object({ code: z.enum(GONE) }) });
