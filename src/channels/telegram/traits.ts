import type { ChannelTraits } from '../channel.ts';

export const TELEGRAM: ChannelTraits = {
  name: 'telegram',
  title: 'Telegram',
  proof: 'contact',
  drawsForms: false,
  sharesContacts: true,
};
