import type { Locale } from '../../conversation/message.ts';
import type { ChannelEntry } from '../channel.ts';
import { createPace, type PaceOptions } from '../pace.ts';
import { TELEGRAM } from './address.ts';
import type { TelegramOptions } from './telegram.ts';

type Settings = {
  readonly telegram:
    | (Pick<TelegramOptions, 'token' | 'secret' | 'apiRoot' | 'mode'> & {
        readonly rates: Pick<PaceOptions, 'perSecond' | 'chatBurst'>;
      })
    | undefined;
  readonly publicUrl: string | undefined;
  readonly settings: { readonly defaultLocale: Locale };
};

export const telegram: ChannelEntry<Settings> = {
  traits: TELEGRAM,
  async open({ telegram, publicUrl, settings: { defaultLocale } }, parts) {
    if (!telegram) return { off: 'TELEGRAM_BOT_TOKEN is unset' };
    const { observe, openQuota, encryption } = parts;
    const { createTelegram } = await import('./telegram.ts');
    const { token, rates } = telegram;
    const pace = createPace({
      openQuota: (perSecond) => openQuota(encryption.name('quota', token), perSecond),
      ...rates,
      onGo: (seconds) => observe.paced(TELEGRAM.name, seconds),
    });
    return createTelegram({ ...parts, ...telegram, publicUrl, defaultLocale, pace });
  },
};
