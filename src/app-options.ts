import type { Channel, ChannelEntry } from './channels/channel.ts';
import type { Config } from './config.ts';
import type { EngineLimits } from './engine/limits.ts';
import type { ServerOptions } from './http/server.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import type { Watchdog } from './observability/watchdog.ts';
import type { TalkOptions } from './open-conversation.ts';
import type { PhotoReaderOptions } from './photos/reader.ts';
import type { RecordStore } from './store/port.ts';

/** For programs that add channels, flows and wording to the bot, and for tests. */
export type AppOptions = ServerOptions &
  TalkOptions & {
    /** Added to the app's own channels. */
    readonly channels?: readonly ChannelEntry<Config>[] | undefined;
    readonly limits?: Partial<EngineLimits> | undefined;
    readonly photos?: PhotoReaderOptions | undefined;
    readonly watchdog?: Watchdog | undefined;
    readonly around?: Partial<Around> | undefined;
  };

/** Replaces a port by one around it: fault tests attack there. */
export type Around = {
  store(port: RecordStore): RecordStore;
  antcrm(port: AntCrmClient): AntCrmClient;
  channel(port: Channel): Channel;
};
