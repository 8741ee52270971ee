import { z } from 'zod';
import { MAX_TEXT } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/messages.ts';
import type { ChannelTraits } from '../channel.ts';
import { cut } from '../platforms.ts';

/**
 * The address of a conversation. It is stored, so that any process can write to the conversation later:
 * - `service`: the connector's base URL. `TrustedHosts` checks it before anything is sent there.
 * - `bot`, `user`: their ids in this conversation. `tenant`, `person`: the user's directory and their object
 *   id there. Only these two identify the person.
 */
export const addressSchema = z.object({
  service: z.string(),
  bot: z.string(),
  user: z.string(),
  tenant: z.string().exactOptional(),
  person: z.string().exactOptional(),
});

/** An address with its conversation, whose long id is stored apart, once. */
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
export function placeOf({
  address,
  conversation,
}: Pick<Incoming, 'address' | 'conversation'>): TeamsPlace | undefined {
  const read = addressSchema.safeParse(address).data;
  return read && { ...read, conversation };
}

/** A pressed button: the activity of its card. */
export const pressSchema = z.object({ activity: z.string() });

/** The content of a form's field. */
const field = z
  .string()
  .transform((text) => cut(text, MAX_TEXT))
  .exactOptional();

/** The data of a button of ours. A modified client can send any data. */
const dataSchema = z.object({
  /** `<choice id>~<view>` of a button. */
  choice: z.string().max(200).optional(),
  /** The view of a form, whose fields follow. */
  form: z.string().max(200).optional(),
  code: field,
  phone: field,
  email: field,
});
export type CardData = z.infer<typeof dataSchema>;

/** The data of a card's button; undefined if no card of ours sends it. */
export function parseData(value: unknown): CardData | undefined {
  // Most messages are typed, and zod is slow with wrong data.
  const data = value === undefined ? undefined : dataSchema.safeParse(value).data;
  return data?.choice !== undefined || data?.form !== undefined ? data : undefined;
}

/**
 * Microsoft's Teams connectors: the public cloud, and the American government's (GCC, GCC High, DoD). The
 * names are exact, since anybody can have a name under `trafficmanager.net`.
 */
export const TEAMS_HOSTS: readonly string[] = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
];

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The connectors that may get our token and our replies. They use https, except on this machine. */
export class TrustedHosts {
  readonly #origins = new Set<string>();
  readonly #anyLocal: boolean;

  /**
   * `hosts`: exact, `host` or `host:port`. `anyLocal`: every host of this machine, for a bot without a token.
   */
  constructor(hosts: readonly string[], anyLocal: boolean) {
    this.#anyLocal = anyLocal;
    for (const host of hosts) {
      const { origin, hostname } = new URL(`https://${host}`);
      this.#origins.add(origin);
      if (LOCAL.test(hostname)) this.#origins.add(new URL(`http://${host}`).origin);
    }
  }

  /** The URL of a service; undefined if it is not trusted. */
  trusted(service: string): URL | undefined {
    const url = URL.parse(service);
    // Paths are appended to the URL. Behind a `?` or `#` they would have no effect.
    if (!url || /[?#]/.test(service) || `${url.username}${url.password}` !== '') return undefined;
    const isLocal = this.#anyLocal && LOCAL.test(url.hostname) && url.protocol.startsWith('http');
    return isLocal || this.#origins.has(url.origin) ? url : undefined;
  }
}
