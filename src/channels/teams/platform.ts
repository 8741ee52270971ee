import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, type Sender } from '../../conversation/message.ts';
import type { Delivery, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import { display, parseJson } from '../platforms.ts';
import { type Place, placeOf, pressSchema } from './address.ts';
import { type Connector, conversationPath } from './connector.ts';
import { type Rendered, render, renderUsed } from './render.ts';

/** How long a call that only makes the chat nicer may hold up a reply. */
const NICETY_MS = 3_000;
/** For fetching a picture, ms. */
const FETCH_MS = 5_000;

/** Most turns answer no press, and zod takes long to say that something is wrong. */
const maybePress = pressSchema.optional();
const pictureSchema = z.object({ url: z.string() });

/**
 * Sends replies; every failure is a case of `Delivery`. Each goes by one call, which is never repeated here: the engine
 * decides on repeats (docs/how-it-works.md, "A message"). Keeps nothing between calls but profiles.
 */
export function createTeamsPlatform(
  connector: Pick<Connector, 'call' | 'file'>,
  words: Words,
  trustedTenants: readonly string[],
  timeoutMs = FETCH_MS,
) {
  /** Sends an activity to a conversation or, by its `id`, in place of an earlier one. */
  async function put(place: Place, activity: Rendered, timeoutMs?: number): Promise<Delivery> {
    const { service, conversation, bot, user } = place;
    const { id } = activity;
    const answer = await connector.call(service, {
      method: id === undefined ? 'POST' : 'PUT',
      path: conversationPath(conversation, 'activities', id),
      body: { ...activity, from: { id: bot }, recipient: { id: user }, conversation: { id: conversation } },
      timeoutMs,
    });
    if (answer.ok) return { kind: 'delivered' };
    const { ok: _, ...failure } = answer;
    return failure;
  }

  return {
    async deliver(outgoing) {
      const place = placeOf(outgoing);
      if (!place) return { kind: 'rejected' };
      const { reply, locale } = outgoing;
      const rendered = render(reply, locale, words);
      return display(outgoing, maybePress.safeParse(outgoing.press).data, {
        send: () => put(place, rendered),
        async edit({ activity: id }) {
          const delivery = await put(place, { ...rendered, id });
          const isGone = delivery.kind === 'rejected' || delivery.kind === 'unreachable';
          return isGone ? null : delivery;
        },
        retire: (press) => put(place, { ...renderUsed(press, locale, words), id: press.activity }, NICETY_MS),
      });
    },

    ...createIdentity(connector, trustedTenants),

    async working(incoming) {
      const place = placeOf(incoming);
      if (place) await put(place, { type: 'typing' }, NICETY_MS);
    },

    /** The picture's address is the writer's: the connector fetches from its own hosts alone. */
    async fetchPhoto(_, at) {
      const picture = pictureSchema.safeParse(at).data;
      if (!picture) return { kind: 'refused' };
      return connector.file(picture.url, { maxBytes: MAX_PHOTO_BYTES, timeoutMs });
    },
  } satisfies Platform;
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

/** What is found out about a sender: an e-mail, none, or nothing at all because the profile could not be read. */
type Found = Pick<Sender, 'email' | 'unread'>;

/**
 * Completes a sender with the profile's e-mail, where Teams vouches for it. Never throws; a profile that cannot be read
 * in time vouches for nothing, and the sender says so. `trustedTenants`: directories whose profiles are believed; another
 * one's administrator can write any e-mail into them.
 */
function createIdentity(
  connector: Pick<Connector, 'call'>,
  trustedTenants: readonly string[],
): Required<Pick<Platform, 'identify' | 'known'>> {
  const trusted = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  /** By directory and object id: these, and no address or name, say who somebody is. */
  const profiles = new LRUCache<string, { readonly found: Found; readonly untilMs: number }>({
    max: MAX_PROFILES,
  });

  const keyOf = ({ tenant, person }: Place): string => `${tenant}/${person}`;

  /** Undefined: Teams has to be asked. */
  function remembered(place: Place): Found | undefined {
    const { tenant, person } = place;
    if (tenant === undefined || person === undefined || !trusted.has(tenant)) return {};
    const profile = profiles.get(keyOf(place));
    return profile && profile.untilMs > Date.now() ? profile.found : undefined;
  }

  async function ask(place: Place): Promise<Found> {
    const { service, conversation, user, tenant = '', person = '' } = place;
    const path = conversationPath(conversation, 'members', user);
    const answer = await connector.call(service, { method: 'GET', path, timeoutMs: LOOKUP_MS });
    // Somebody who is no member has no profile.
    if (!answer.ok) return answer.kind === 'unreachable' ? {} : { unread: true };
    const email = vouchedEmail(parseJson(answer.content.toString()), tenant, person);
    const found = email === undefined ? {} : { email };
    profiles.set(keyOf(place), { found, untilMs: Date.now() + PROFILE_MS });
    return found;
  }

  return {
    known(incoming) {
      const place = placeOf(incoming);
      const found = place ? remembered(place) : {};
      return found && { ...incoming.sender, ...found };
    },
    async identify(incoming) {
      const place = placeOf(incoming);
      return place ? { ...incoming.sender, ...(remembered(place) ?? (await ask(place))) } : incoming.sender;
    },
  };
}

/**
 * A guest's e-mail was written by the guest's own directory, an anonymous person's by nobody. What a profile does not say
 * (whose it is, of which directory, in what role) does not count in its favour.
 */
function vouchedEmail(member: unknown, tenant: string, person: string): string | undefined {
  const profile = memberSchema.safeParse(member).data;
  if (!profile) return undefined;
  const { email, aadObjectId = profile.objectId, tenantId, userRole } = profile;
  const isSame = aadObjectId?.toLowerCase() === person && tenantId?.toLowerCase() === tenant;
  const isMember = userRole?.toLowerCase() === 'user';
  return isSame && isMember && email ? email.trim().toLowerCase() : undefined;
}
