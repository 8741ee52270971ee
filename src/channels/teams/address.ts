import { z } from 'zod';
import type { Incoming } from '../../engine/messages.ts';
import type { ChannelTraits } from '../channel.ts';

/**
 * The stored address of a conversation. `service`: the connector's base URL, not yet trusted. `tenant` and
 * `person`: the user's directory and their object id there. Only these two identify the person.
 */
export const addressSchema = z.object({
  service: z.string(),
  bot: z.string(),
  user: z.string(),
  tenant: z.string().exactOptional(),
  person: z.string().exactOptional(),
});

/** An address with its conversation, which is stored apart. */
export type TeamsPlace = z.infer<typeof addressSchema> & { readonly conversation: string };

/** Microsoft Teams, as a channel. */
export const TEAMS: ChannelTraits = {
  name: 'teams',
  title: 'Teams',
  proof: 'profile',
  drawsForms: true,
  sharesContacts: false,
  // Microsoft's admin pages show the object id of a person.
  knownAs(address) {
    const { user, person } = addressSchema.safeParse(address).data ?? {};
    return [user, person].filter((id) => id !== undefined);
  },
};

/** The place that a stored address names; undefined if the address is not of Teams. */
export function placeOf({ address, conversation }: Pick<Incoming, 'address' | 'conversation'>) {
  const read = addressSchema.safeParse(address).data;
  return read && { ...read, conversation };
}

/** A pressed button: the activity of its card. */
export const pressSchema = z.object({ activity: z.string() });

/** The public cloud's, GCC's, GCC High's and DoD's. Anybody can have a name under `trafficmanager.net`. */
export const TEAMS_HOSTS: readonly string[] = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
];

const LOCAL = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/**
 * Who may get our token and our replies: `hosts`, each `host` or `host:port`, by https, or by http on this
 * machine. `anyLocal`: all of this machine.
 */
export function trustHosts(hosts: readonly string[], anyLocal: boolean) {
  const origins = hosts.flatMap((host) => [`https://${host}`, `http://${host}`]);
  const trusted = origins
    .map((at) => new URL(at).origin)
    .filter((origin) => origin.startsWith('https:') || LOCAL.test(origin));
  return (service: string): URL | undefined => {
    const url = URL.parse(service);
    if (!url) return undefined;
    return trusted.includes(url.origin) || (anyLocal && LOCAL.test(url.origin)) ? url : undefined;
  };
}
