import type { ChannelTraits } from '../channel.ts';
import { addressSchema } from './address.ts';

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
