import { z } from 'zod';
import type { Sender } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/outlet.ts';
import { parseJson } from '../platform-request.ts';
import { type Place, placeOf } from './address.ts';
import { type Connector, conversationPath } from './connector.ts';

/** How long a profile is believed, ms; how long it may take to be read. */
const PROFILE_MS = 60 * 60 * 1000;
const LOOKUP_MS = 1_500;
/** Profiles remembered; the oldest are forgotten. */
const MAX_PROFILES = 5_000;

export type IdentityOptions = {
  readonly connector: Pick<Connector, 'call'>;
  /** Directories whose profiles are believed; another one's administrator can write any e-mail into them. */
  readonly trustedTenants: readonly string[];
  readonly now?: (() => number) | undefined;
};

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
 * in time vouches for nothing, and the sender says so.
 */
export function createIdentity({ connector, trustedTenants, now = Date.now }: IdentityOptions) {
  const trusted = new Set(trustedTenants.map((tenant) => tenant.toLowerCase()));
  /** By directory and object id: these, and no address or name, say who somebody is. In order of being read. */
  const profiles = new Map<string, { readonly found: Found; readonly untilMs: number }>();

  async function find(place: Place): Promise<Found> {
    const { service, conversation, user, tenant, person } = place;
    if (tenant === undefined || person === undefined || !trusted.has(tenant)) return {};
    const key = `${tenant}/${person}`;
    const known = profiles.get(key);
    if (known && known.untilMs > now()) return known.found;
    const path = conversationPath(conversation, 'members', user);
    const answer = await connector.call(service, { method: 'GET', path, timeoutMs: LOOKUP_MS });
    // Somebody who is no member has no profile.
    if (!answer.ok) return answer.kind === 'unreachable' ? {} : { unread: true };
    const email = vouchedEmail(parseJson(answer.content.toString()), tenant, person);
    const found = email === undefined ? {} : { email };
    profiles.delete(key);
    profiles.set(key, { found, untilMs: now() + PROFILE_MS });
    const [oldest] = profiles.keys();
    if (profiles.size > MAX_PROFILES && oldest !== undefined) profiles.delete(oldest);
    return found;
  }

  return async (incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender> => {
    const { sender } = incoming;
    const place = placeOf(incoming);
    return place ? { ...sender, ...(await find(place)) } : sender;
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
