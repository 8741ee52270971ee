import { z } from 'zod';
import type { Incoming } from '../../engine/messages.ts';
import type { ChannelTraits } from '../channel.ts';
import { shortList } from '../input.ts';

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
export type Place = z.infer<typeof addressSchema> & { readonly conversation: string };

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
}: Pick<Incoming, 'address' | 'conversation'>): Place | undefined {
  const known = addressSchema.safeParse(address).data;
  return known && { ...known, conversation };
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
export type Press = z.infer<typeof pressSchema>;

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
export type Data = z.infer<typeof dataSchema>;

/** Undefined for what no card of ours sends. */
export function parseData(value: unknown): Data | undefined {
  // Most messages are typed, and zod takes long to say that something is wrong.
  const data = value === undefined ? undefined : dataSchema.safeParse(value).data;
  return data?.choice !== undefined || data?.form !== undefined ? data : undefined;
}
