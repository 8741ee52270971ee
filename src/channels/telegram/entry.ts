import type { Locale } from '../../conversation/message.ts';
import type { ChannelEntry } from '../channel.ts';
import { RateLimiter, type RateLimiterOptions } from '../rate-limiter.ts';
import type { TelegramOptions } from './telegram.ts';
import { TELEGRAM } from './update.ts';

/** The part of the configuration that Telegram reads. */
type TelegramSettings = {
  readonly telegram:
    | (Pick<TelegramOptions, 'token' | 'secret' | 'apiRoot'> & {
        readonly rates: Pick<RateLimiterOptions, 'perSecond' | 'chatBurst'>;
      })
    | undefined;
  readonly publicUrl: string | undefined;
  readonly settings: { readonly defaultLocale: Locale };
};

export const telegram: ChannelEntry<TelegramSettings> = {
  traits: TELEGRAM,
  async open({ telegram, publicUrl, settings: { defaultLocale } }, parts) {
    if (!telegram) return { off: 'TELEGRAM_BOT_TOKEN is unset' };
    const { TelegramChannel } = await import('./telegram.ts');
    const limiter = new RateLimiter({ ...telegram.rates, channel: TELEGRAM.name, observe: parts.observe });
    return new TelegramChannel({ ...parts, ...telegram, publicUrl, defaultLocale, limiter });
  },
};
