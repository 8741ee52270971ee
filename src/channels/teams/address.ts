import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Incoming } from '../../engine/messages.ts';
import type { ChannelTraits } from '../channel.ts';
import { shortList } from '../platforms.ts';

/**
 * Where replies go, and who is there. Stored with the conversation, so that any process can write to it later:
 * - `service`: the connector's base URL, checked against the hosts we trust before anything is sent there.
 * - `bot`, `user`: the ids of both in this conversation; `tenant` and `person`: the user's directory and object id there,
 *   which alone say for sure who it is.
 */
export const addressSchema = z.object({
  service: z.string(),
  bot: z.string(),
  user: z.string(),
  tenant: z.string().exactOptional(),
  person: z.string().exactOptional(),
});

/** An address with the conversation, whose id is long: it is stored once, beside the address. */
export type TeamsPlace = z.infer<typeof addressSchema> & { readonly conversation: string };

export const TEAMS: ChannelTraits = {
  name: 'teams',
  title: 'Teams',
  proof: 'profile',
  drawsForms: true,
  sharesContacts: false,
  // What Microsoft's admin pages call a person is the object id.
  knownAs(address) {
    const { user, person } = addressSchema.safeParse(address).data ?? {};
    return [user, person].filter((id) => id !== undefined);
  },
};

/** Undefined for what is no address of ours. */
export function placeOf({
  address,
  conversation,
}: Pick<Incoming, 'address' | 'conversation'>): TeamsPlace | undefined {
  const read = addressSchema.safeParse(address).data;
  return read && { ...read, conversation };
}

/** What a used card shows in place of its buttons; more than this is not worth keeping. */
const MAX_SAID = 60;
const MAX_LINE = 600;
const lines = shortList(z.string().max(MAX_LINE)).pipe(z.array(z.string()).max(MAX_SAID));

/**
 * A used card: its activity, the view of its question, what it said and what was chosen. A card cannot be edited in
 * part, and nobody keeps what was sent: so its buttons carry its text, and come back with it.
 */
export const pressSchema = z.object({
  activity: z.string(),
  view: z.string().exactOptional(),
  said: lines,
  chosen: lines,
});
export type TeamsPress = z.infer<typeof pressSchema>;

/** What a button of ours sends. Anybody with a modified client can send anything. */
const dataSchema = z.object({
  /** `<choice id>~<view>` of a button. */
  choice: z.string().max(200).optional(),
  label: z.string().max(MAX_LINE).optional(),
  /** The view of a form; its fields stand beside it. */
  form: z.string().max(200).optional(),
  code: z.string().optional(),
  phone: z.string().optional(),
  email: z.string().optional(),
  said: lines.optional().catch(undefined),
});
export type CardData = z.infer<typeof dataSchema>;

/** Undefined for what no card of ours sends. */
export function parseData(value: unknown): CardData | undefined {
  // Most messages are typed, and zod takes long to say that something is wrong.
  const data = value === undefined ? undefined : dataSchema.safeParse(value).data;
  return data?.choice !== undefined || data?.form !== undefined ? data : undefined;
}

/**
 * Microsoft's Teams connectors: the public cloud, and the American government's (GCC, GCC High, DoD). Exact names, since
 * anybody can have a name under `trafficmanager.net`.
 */
export const TEAMS_HOSTS: readonly string[] = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
];

/** All customers of a region have one service, and a URL takes long to parse. */
const MAX_PARSED = 100;

/** The connectors that may get our token and our replies: by https only, but for hosts of this machine. */
export class TrustedHosts {
  readonly #hosts: ReadonlySet<string>;
  readonly #anyLocal: boolean;
  readonly #parsed = new LRUCache<string, URL>({ max: MAX_PARSED });

  /** `hosts`: exact, `host` or `host:port`. `anyLocal`: all of this machine, where there is no token to lose. */
  constructor(hosts: readonly string[], anyLocal: boolean) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
    this.#anyLocal = anyLocal;
  }

  /** The URL of a service; undefined where it is not trusted. */
  trusted(service: string): URL | undefined {
    const parsed = this.#parsed.get(service);
    if (parsed) return parsed;
    const url = URL.parse(service);
    if (!url || !this.#isTrusted(url, service)) return undefined;
    this.#parsed.set(service, url);
    return url;
  }

  #isTrusted(url: URL, service: string): boolean {
    // Paths are appended to it: behind a `?` or `#`, even a bare one, they would count for nothing.
    if (/[?#]/.test(service) || `${url.username}${url.password}` !== '') return false;
    const isOnMachine = LOCAL.test(url.hostname);
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isOnMachine);
    // A URL does not tell the usual port of its scheme.
    const withPort = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
    return (
      isSafe && (this.#hosts.has(url.host) || this.#hosts.has(withPort) || (this.#anyLocal && isOnMachine))
    );
  }
}

/** The root of a host as `TrustedHosts` takes it. */
export function urlOf(host: string): string {
  const isOnMachine = LOCAL.test(URL.parse(`http://${host}`)?.hostname ?? '');
  return `${isOnMachine ? 'http' : 'https'}://${host}/`;
}

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
