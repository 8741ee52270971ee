import type { ChannelTraits } from '../channel.ts';

export const TEAMS: ChannelTraits = {
  name: 'teams',
  title: 'Teams',
  proof: 'profile',
  drawsForms: true,
  sharesContacts: false,
};
