import type { Locale } from '../../conversation/message.ts';
import type { ChannelEntry } from '../channel.ts';
import type { TelegramOptions } from './telegram.ts';
import { TELEGRAM } from './traits.ts';

type Settings = {
  readonly telegram: Pick<TelegramOptions, 'token' | 'secret' | 'apiRoot' | 'mode'> | undefined;
  readonly publicUrl: string | undefined;
  readonly settings: { readonly defaultLocale: Locale };
};

export const telegram: ChannelEntry<Settings> = {
  traits: TELEGRAM,
  async open({ telegram, publicUrl, settings: { defaultLocale } }, parts) {
    if (!telegram) return { off: 'TELEGRAM_BOT_TOKEN is unset' };
    const { accept, limit, words, commands, observe, guard, registrations, seal } = parts;
    const { createTelegram } = await import('./telegram.ts');
    const shared = { registrations, hash: (text: string) => seal.name('registration', text) };
    const ours = { accept, limit, words, commands, observe, shared, staff: guard.docs };
    return createTelegram({ ...telegram, publicUrl, defaultLocale, ...ours });
  },
};
