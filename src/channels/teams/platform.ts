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
  readonly #profiles: Profiles;

  constructor(parts: TeamsPlatformParts) {
    this.connector = parts.connector;
    this.#parts = parts;
    this.#profiles = new Profiles(parts.connector, parts.trustedTenants);
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
    const place = placeOf(incoming);
    const proof = place ? this.#profiles.remembered(place) : {};
    return proof && { ...incoming.sender, ...proof };
  }

  async identify(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender> {
    const place = placeOf(incoming);
    if (!place) return incoming.sender;
    return {
      ...incoming.sender,
      ...(this.#profiles.remembered(place) ?? (await this.#profiles.read(place))),
    };
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
    const answer = await this.connector.call(service, {
      method: id === undefined ? 'POST' : 'PUT',
      path: conversationPath(conversation, 'activities', id),
      body: { ...activity, from: { id: bot }, recipient: { id: user }, conversation: { id: conversation } },
      timeoutMs,
    });
    return answer.ok ? { kind: 'delivered' } : answer.meaning;
  }
}

/** How long a profile is trusted, and how long reading it may take. */
const PROFILE_MS = 60 * 60 * 1000;
const LOOKUP_MS = 1_500;
const MAX_PROFILES = 5_000;

const text = z.string().optional().catch(undefined);
const memberSchema = z.object({
  email: text,
  aadObjectId: text,
  objectId: text,
  tenantId: text,
  userRole: text,
});

/** What a profile proves: an e-mail, nothing, or `unread` if it could not be read in time. */
type ProfileProof = Pick<Sender, 'email' | 'unread'>;

/** The e-mails of customers that their directory proves. */
class Profiles {
  readonly #connector: Pick<Connector, 'call'>;
  readonly #trustedTenants: ReadonlySet<string>;
  /** By directory and object id, which identify a person. */
  readonly #profiles = new LRUCache<string, { readonly proof: ProfileProof; readonly untilMs: number }>({
    max: MAX_PROFILES,
  });

  /** Only `trustedTenants` prove an e-mail: other administrators could write any e-mail into a profile. */
  constructor(connector: Pick<Connector, 'call'>, trustedTenants: readonly string[]) {
    this.#connector = connector;
    this.#trustedTenants = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  }

  /** The proof without a call; undefined if Teams has to be asked. */
  remembered({ tenant, person }: TeamsPlace): ProfileProof | undefined {
    if (tenant === undefined || person === undefined || !this.#trustedTenants.has(tenant)) return {};
    const profile = this.#profiles.get(`${tenant}/${person}`);
    return profile && profile.untilMs > Date.now() ? profile.proof : undefined;
  }

  /** Asks Teams. Never rejects. */
  async read({ service, conversation, user, tenant = '', person = '' }: TeamsPlace): Promise<ProfileProof> {
    const path = conversationPath(conversation, 'members', user);
    const answer = await this.#connector.call(service, { method: 'GET', path, timeoutMs: LOOKUP_MS });
    // Only members have a profile.
    if (!answer.ok) return answer.meaning.kind === 'unreachable' ? {} : { unread: true };
    const email = vouchedEmail(parseJson(answer.content.toString()), tenant, person);
    const proof = email === undefined ? {} : { email };
    this.#profiles.set(`${tenant}/${person}`, { proof, untilMs: Date.now() + PROFILE_MS });
    return proof;
  }
}

/**
 * The e-mail of a member of the directory. A guest's e-mail comes from another directory, and an anonymous
 * person's from none. A profile proves nothing unless it names the person, the directory and the role.
 */
function vouchedEmail(member: unknown, tenant: string, person: string): string | undefined {
  const profile = memberSchema.safeParse(member).data;
  if (!profile) return undefined;
  const { email, aadObjectId = profile.objectId, tenantId, userRole } = profile;
  const isSame = aadObjectId?.toLowerCase() === person && tenantId?.toLowerCase() === tenant;
  const isMember = userRole?.toLowerCase() === 'user';
  return isSame && isMember && email ? email.trim().toLowerCase() : undefined;
}
