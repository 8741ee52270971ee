import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, type Sender } from '../../conversation/message.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import { parseJson } from '../platforms.ts';
import { placeOf, pressSchema, type TeamsPlace } from './address.ts';
import { type Connector, conversationPath } from './connector.ts';
import { render, renderUsed, type TeamsReply } from './render.ts';

/** How long a call that only makes the chat nicer may hold up a reply. */
const NICETY_MS = 3_000;
/** For fetching a picture, ms. */
const FETCH_MS = 5_000;

const pictureSchema = z.object({ url: z.string() });

export type TeamsPlatformParts = {
  readonly connector: Connector;
  readonly words: Words;
  /** Directories whose profile e-mails count as proved. */
  readonly trustedTenants: readonly string[];
  readonly timeoutMs?: number | undefined;
};

/**
 * Sends replies. Each goes by one call, which is never repeated here: the engine decides on repeats
 * (docs/how-it-works.md, "A message"). It remembers nothing between calls but profiles.
 */
export class TeamsPlatform implements Platform {
  protected readonly connector: Connector;
  readonly #parts: TeamsPlatformParts;
  readonly #profiles: Profiles;

  constructor(parts: TeamsPlatformParts) {
    this.connector = parts.connector;
    this.#parts = parts;
    this.#profiles = new Profiles(parts.connector, parts.trustedTenants);
  }

  /** A page replaces the card whose button was pressed; any other reply is new, and takes a dead card's buttons off. */
  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const place = placeOf(outgoing);
    if (!place) return { kind: 'rejected' };
    const { reply, locale, first } = outgoing;
    const { words } = this.#parts;
    const rendered = render(reply, locale, words);
    const press = outgoing.press === undefined ? undefined : pressSchema.safeParse(outgoing.press).data;
    if (!press) return this.#put(place, rendered);
    const { activity: id, view } = press;
    if (reply.inPlace) {
      const delivery = await this.#put(place, { ...rendered, id });
      // That card cannot be edited any more.
      if (delivery.kind !== 'rejected' && delivery.kind !== 'unreachable') return delivery;
    }
    // A reply under the pressed question's own view means that the question goes on.
    const isOver = first && (view === undefined || view !== reply.view);
    const retired = isOver && this.#put(place, { ...renderUsed(press, locale, words), id }, NICETY_MS);
    const [delivery] = await Promise.all([this.#put(place, rendered), retired]);
    return delivery;
  }

  known(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Sender | undefined {
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
    if (place) await this.#put(place, { type: 'typing' }, NICETY_MS);
  }

  /** The picture's address is the writer's: the connector fetches from its own hosts alone. */
  async fetchPhoto(_place: unknown, at: unknown): Promise<FetchedPhoto> {
    const picture = pictureSchema.safeParse(at).data;
    if (!picture) return { kind: 'refused' };
    const { timeoutMs = FETCH_MS } = this.#parts;
    return this.connector.fetchFile(picture.url, { maxBytes: MAX_PHOTO_BYTES, timeoutMs });
  }

  /** Sends an activity to a conversation or, by its `id`, in place of an earlier one. */
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

/** How long a profile is believed, ms; how long it may take to be read. */
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

/** What a profile proves of a sender: an e-mail, nothing, or `unread` because it could not be read in time. */
type ProfileProof = Pick<Sender, 'email' | 'unread'>;

/** The e-mails of customers, where their directory vouches for them. */
class Profiles {
  readonly #connector: Pick<Connector, 'call'>;
  readonly #trustedTenants: ReadonlySet<string>;
  /** By directory and object id: these, and no address or name, say who a person is. */
  readonly #profiles = new LRUCache<string, { readonly proof: ProfileProof; readonly untilMs: number }>({
    max: MAX_PROFILES,
  });

  /** The administrator of any directory that is not in `trustedTenants` can write any e-mail into its profiles. */
  constructor(connector: Pick<Connector, 'call'>, trustedTenants: readonly string[]) {
    this.#connector = connector;
    this.#trustedTenants = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  }

  /** What is known without asking Teams; undefined where Teams has to be asked. */
  remembered({ tenant, person }: TeamsPlace): ProfileProof | undefined {
    if (tenant === undefined || person === undefined || !this.#trustedTenants.has(tenant)) return {};
    const profile = this.#profiles.get(`${tenant}/${person}`);
    return profile && profile.untilMs > Date.now() ? profile.proof : undefined;
  }

  /** Asks Teams. Never rejects. */
  async read({ service, conversation, user, tenant = '', person = '' }: TeamsPlace): Promise<ProfileProof> {
    const path = conversationPath(conversation, 'members', user);
    const answer = await this.#connector.call(service, { method: 'GET', path, timeoutMs: LOOKUP_MS });
    // A person who is no member has no profile.
    if (!answer.ok) return answer.meaning.kind === 'unreachable' ? {} : { unread: true };
    const email = vouchedEmail(parseJson(answer.content.toString()), tenant, person);
    const proof = email === undefined ? {} : { email };
    this.#profiles.set(`${tenant}/${person}`, { proof, untilMs: Date.now() + PROFILE_MS });
    return proof;
  }
}

/**
 * A guest's e-mail was written by the guest's own directory, an anonymous person's by no directory. A profile that does
 * not say whose it is, of which directory, in what role, proves nothing.
 */
function vouchedEmail(member: unknown, tenant: string, person: string): string | undefined {
  const profile = memberSchema.safeParse(member).data;
  if (!profile) return undefined;
  const { email, aadObjectId = profile.objectId, tenantId, userRole } = profile;
  const isSame = aadObjectId?.toLowerCase() === person && tenantId?.toLowerCase() === tenant;
  const isMember = userRole?.toLowerCase() === 'user';
  return isSame && isMember && email ? email.trim().toLowerCase() : undefined;
}
