import type { Locale } from '../../conversation/message.ts';
import type { ChannelEntry } from '../channel.ts';
import { RateLimiter, type RateLimiterOptions } from '../rate-limiter.ts';
import type { TelegramOptions } from './telegram.ts';
import { TELEGRAM } from './update.ts';

/** The part of the configuration that Telegram reads. */
type TelegramSettings = {
  readonly telegram:
    | (Pick<TelegramOptions, 'token' | 'secret' | 'apiRoot'> & {
        /** `STAFF_TELEGRAM_CHAT`. */
        readonly staffChat: number | undefined;
        readonly rates: Pick<RateLimiterOptions, 'perSecond' | 'chatBurst'>;
      })
    | undefined;
  readonly publicUrl: string | undefined;
  readonly adminPort: number | undefined;
  readonly settings: { readonly defaultLocale: Locale; readonly timeZone: string };
};

export const telegram: ChannelEntry<TelegramSettings> = {
  traits: TELEGRAM,
  async open({ telegram, publicUrl, adminPort, settings }, parts) {
    if (!telegram) return { off: 'TELEGRAM_BOT_TOKEN is unset' };
    const { TelegramChannel } = await import('./telegram.ts');
    const limiter = new RateLimiter({ ...telegram.rates, channel: TELEGRAM.name, observe: parts.observe });
    const { defaultLocale, timeZone } = settings;
    // If the inbox has a separate port, its public address is unknown.
    const inboxUrl = publicUrl && adminPort === undefined ? `${publicUrl}/console#inbox` : undefined;
    const { tickets, secrets } = parts;
    const group = { inboxUrl, timeZone, locale: defaultLocale, tickets, secrets };
    const { staffChat: chat, ...others } = telegram;
    const staffGroup = chat === undefined || !parts.handover ? undefined : { ...group, chat };
    return new TelegramChannel({ ...parts, ...others, publicUrl, defaultLocale, limiter, staffGroup });
  },
};
