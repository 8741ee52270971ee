import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, type Sender } from '../../conversation/message.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import { parseJson } from '../platforms.ts';
import { placeOf, pressSchema, type TeamsPlace } from './address.ts';
import { type Connector, conversationPath } from './connector.ts';
import { render, type TeamsReply } from './render.ts';

/** Time limit of a call that is not essential: it only makes the chat nicer. */
const OPTIONAL_CALL_MS = 3_000;
/** Time limit for fetching a picture. */
const FETCH_MS = 5_000;

/** How long a profile is trusted, and how long reading it may take. */
const PROFILE_MS = 60 * 60 * 1000;
const LOOKUP_MS = 1_500;
const MAX_PROFILES = 5_000;

const pictureSchema = z.object({ url: z.string() });

export type TeamsPlatformParts = {
  readonly connector: Connector;
  readonly words: Words;
  /** Directories whose profile e-mails count as proved. */
  readonly trustedTenants: readonly string[];
  readonly timeoutMs?: number | undefined;
};

/** Sends replies, each by one call: the engine decides on repeats. It keeps only profiles between calls. */
export class TeamsPlatform implements Platform {
  protected readonly connector: Connector;
  readonly #parts: TeamsPlatformParts;
  readonly #trustedTenants: ReadonlySet<string>;
  /** By directory and object id, which identify a person. */
  readonly #profiles = new LRUCache<string, ProfileProof>({ max: MAX_PROFILES, ttl: PROFILE_MS });

  constructor(parts: TeamsPlatformParts) {
    this.connector = parts.connector;
    this.#parts = parts;
    this.#trustedTenants = new Set(parts.trustedTenants.map((tenant) => tenant.toLowerCase()));
  }

  /**
   * A page replaces the card of the pressed button. Other replies are new. A used card keeps its buttons: a
   * bot cannot take them off without the card's text, and a dead view changes nothing.
   */
  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const place = placeOf(outgoing);
    if (!place) return { kind: 'rejected' };
    const { reply, locale } = outgoing;
    const rendered = render(reply, locale, this.#parts.words);
    const press = reply.inPlace && pressSchema.safeParse(outgoing.press).data;
    if (press) {
      const delivery = await this.#put(place, { ...rendered, id: press.activity });
      // That card cannot be edited.
      if (delivery.kind !== 'rejected' && delivery.kind !== 'unreachable') return delivery;
    }
    return this.#put(place, rendered);
  }

  recallSender(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Sender | undefined {
    const { tenant, person } = placeOf(incoming) ?? {};
    // Administrators of other directories could write any e-mail into a profile.
    const mayProve = tenant !== undefined && person !== undefined && this.#trustedTenants.has(tenant);
    const proof = mayProve ? this.#profiles.get(`${tenant}/${person}`) : {};
    return proof && { ...incoming.sender, ...proof };
  }

  async identify(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender> {
    const place = placeOf(incoming);
    const recalled = this.recallSender(incoming);
    if (recalled || !place) return recalled ?? incoming.sender;
    const { service, conversation, user, tenant = '', person = '' } = place;
    const path = conversationPath(conversation, 'members', user);
    const call = { method: 'GET', path, timeoutMs: LOOKUP_MS } as const;
    const { meaning, content } = await this.connector.call(service, call);
    // Only members have a profile.
    if (meaning.kind === 'unreachable') return incoming.sender;
    if (meaning.kind !== 'delivered') return { ...incoming.sender, unread: true };
    const proof = vouchedEmail(parseJson(String(content)), tenant, person);
    this.#profiles.set(`${tenant}/${person}`, proof);
    return { ...incoming.sender, ...proof };
  }

  async working(incoming: Pick<Incoming, 'address' | 'conversation'>): Promise<void> {
    const place = placeOf(incoming);
    if (place) await this.#put(place, { type: 'typing' }, OPTIONAL_CALL_MS);
  }

  /** The sender chose the picture's address; the connector fetches from trusted hosts only. */
  async fetchPhoto(_place: unknown, at: unknown): Promise<FetchedPhoto> {
    const picture = pictureSchema.safeParse(at).data;
    if (!picture) return { kind: 'refused' };
    const { timeoutMs = FETCH_MS } = this.#parts;
    return this.connector.fetchFile(picture.url, { maxBytes: MAX_PHOTO_BYTES, timeoutMs });
  }

  /** Sends an activity to a conversation. With an `id`, it replaces that activity. */
  async #put(place: TeamsPlace, activity: TeamsReply, timeoutMs?: number): Promise<Delivery> {
    const { service, conversation, bot, user } = place;
    const { id } = activity;
    const { meaning } = await this.connector.call(service, {
      method: id === undefined ? 'POST' : 'PUT',
      path: conversationPath(conversation, 'activities', id),
      body: { ...activity, from: { id: bot }, recipient: { id: user }, conversation: { id: conversation } },
      timeoutMs,
    });
    return meaning;
  }
}

const text = z.string().optional().catch(undefined);
const memberSchema = z
  .object({ email: text, aadObjectId: text, objectId: text, tenantId: text, userRole: text })
  .catch({});

/** What a profile proves: an e-mail, or nothing. */
type ProfileProof = Pick<Sender, 'email'>;

/**
 * The e-mail of a member of the directory. A guest's e-mail comes from another directory, and an anonymous
 * person's from none. A profile proves nothing unless it names the person, the directory and the role.
 */
function vouchedEmail(member: unknown, tenant: string, person: string): ProfileProof {
  const { email, objectId, aadObjectId = objectId, tenantId, userRole } = memberSchema.parse(member);
  const isSame = aadObjectId?.toLowerCase() === person && tenantId?.toLowerCase() === tenant;
  const isMember = userRole?.toLowerCase() === 'user';
  return isSame && isMember && email ? { email: email.trim().toLowerCase() } : {};
}
