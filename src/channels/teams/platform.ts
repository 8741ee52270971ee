import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, type Sender } from '../../conversation/message.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import { type Exchange, type HttpCall, Transport } from '../../http/transport.ts';
import type { ChannelParts } from '../channel.ts';
import { parseJson, photoIn } from '../platforms.ts';
import { placeOf, pressSchema, TEAMS_HOSTS, type TeamsPlace, trustHosts } from './address.ts';
import { type ConnectorAnswer, readAnswer } from './answers.ts';
import { Cloud, type Registration } from './authentication.ts';
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

export type TeamsOptions = Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'observe'> & {
  readonly config: TeamsConfig;
  /** How long sending a reply may take, ms. */
  readonly timeoutMs?: number | undefined;
  /** From one look at the service to the next, ms. */
  readonly watchMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
const OPTIONAL_CALL_MS = 3_000;
const FETCH_MS = 5_000;
/** A profile has a few hundred bytes, any other answer less. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** How long a profile is trusted, and reading it may take. */
const PROFILE_MS = 60 * 60 * 1000;
const LOOKUP_MS = 1_500;
const MAX_PROFILES = 5_000;

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
  /** By directory and object id, which identify a person. */
  readonly #profiles = new LRUCache<string, ProfileProof>({ max: MAX_PROFILES, ttl: PROFILE_MS });

  constructor(options: TeamsOptions) {
    const { registration, serviceHosts = TEAMS_HOSTS, trustedTenants } = options.config;
    this.#options = options;
    this.cloud = registration && new Cloud(registration, options.observe.log);
    this.trust = trustHosts(serviceHosts, registration === undefined);
    this.#trustedTenants = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  }

  /** A page replaces the card of the pressed button. Other replies are new. */
  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const place = placeOf(outgoing);
    if (!place) return { kind: 'rejected' };
    const { reply, locale } = outgoing;
    const rendered = render(reply, locale, this.#options.words);
    const press = reply.inPlace && pressSchema.safeParse(outgoing.press).data;
    if (press) {
      const delivery = await this.#put(place, { ...rendered, id: press.activity });
      // That card cannot be edited.
      if (delivery.kind !== 'rejected' && delivery.kind !== 'unreachable') return delivery;
    }
    return this.#put(place, rendered);
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
    if (place) await this.#put(place, { type: 'typing' }, OPTIONAL_CALL_MS);
  }

  /** The sender chose the picture's address. */
  async fetchPhoto(_place: unknown, picture: unknown): Promise<FetchedPhoto> {
    const { url = '' } = pictureSchema.safeParse(picture).data ?? {};
    const at = this.trust(url);
    if (!at) return { kind: 'refused' };
    const to = {
      method: 'GET',
      origin: at.origin,
      path: at.pathname,
      headers: { accept: 'image/*' },
    } as const;
    const exchange = await this.#send({ ...to, maxBytes: MAX_PHOTO_BYTES, timeoutMs: FETCH_MS });
    return exchange ? photoIn(exchange) : { kind: 'refused' };
  }

  /** Lets open calls finish. Later ones are `undelivered`. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Sends an activity to a conversation. With an `id`, it replaces that activity. */
  async #put(place: TeamsPlace, activity: TeamsReply, timeoutMs?: number): Promise<Delivery> {
    const { conversation, bot, user } = place;
    const { id } = activity;
    const people = { from: { id: bot }, recipient: { id: user } };
    const { meaning } = await this.#call(place, {
      method: id === undefined ? 'POST' : 'PUT',
      path: id === undefined ? 'activities' : `activities/${encodeURIComponent(id)}`,
      body: JSON.stringify({ ...activity, ...people, conversation: { id: conversation } }),
      timeoutMs: timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
    });
    return meaning;
  }

  /** Calls the connector about a conversation, whose path is put before `path`. */
  async #call(
    { service, conversation }: TeamsPlace,
    { path, ...call }: Pick<HttpCall, 'method' | 'path' | 'body' | 'timeoutMs'>,
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

  /** Sends with our token, a new one after a refusal. Null: there is none. */
  async #send(call: HttpCall): Promise<Exchange | null> {
    if (!this.cloud) return this.#transport.exchange(call);
    const token = await this.cloud.token(this.isRefused).catch(() => undefined);
    if (token === undefined) return null;
    const headers = { ...call.headers, authorization: `Bearer ${token}` };
    return this.#transport.exchange({ ...call, headers });
  }
}

const text = z.string().trim().toLowerCase().optional().catch(undefined);
const memberSchema = z
  .object({ email: text, aadObjectId: text, objectId: text, tenantId: text, userRole: text })
  .catch({});

/** What a profile proves: an e-mail, or nothing. */
type ProfileProof = Pick<Sender, 'email'>;

/**
 * The e-mail of a member of the directory: a guest's comes from another one. A profile proves nothing unless
 * it names the person, the directory and the role.
 */
function proofIn(member: unknown, tenant: string, person: string): ProfileProof {
  const { email, objectId, aadObjectId = objectId, tenantId, userRole } = memberSchema.parse(member);
  const isMember = aadObjectId === person && tenantId === tenant && userRole === 'user';
  return isMember && email ? { email } : {};
}
