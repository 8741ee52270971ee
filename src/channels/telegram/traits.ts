import type { ChannelTraits } from '../channel.ts';

export const TELEGRAM = {
  name: 'telegram',
  title: 'Telegram',
  proof: 'contact',
  drawsForms: false,
  sharesContacts: true,
} as const satisfies ChannelTraits;
