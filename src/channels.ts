import type { ChannelEntry } from './channels/channel.ts';
import { staff } from './channels/staff/staff.ts';
import { teams } from './channels/teams/entry.ts';
import { telegram } from './channels/telegram/entry.ts';
import type { Config } from './config.ts';

/** The only list of the app's channels (docs/recipes/channel.md). */
export const CHANNELS: readonly ChannelEntry<Config>[] = [staff, telegram, teams];
