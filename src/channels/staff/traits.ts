import type { ChannelTraits } from '../channel.ts';

export const STAFF: ChannelTraits = {
  name: 'staff',
  title: 'Staff webhook',
  proof: 'token',
  drawsForms: true,
  sharesContacts: true,
};
