import type { ChannelEntry } from '../channel.ts';
import { TEAMS } from './address.ts';
import type { TeamsConfig } from './platform.ts';

export const teams: ChannelEntry<{ readonly teams: TeamsConfig | undefined }> = {
  traits: TEAMS,
  async open({ teams: config }, parts) {
    if (!config) return { off: 'MICROSOFT_APP_ID is unset' };
    // The SDK takes 17 MB.
    const { TeamsChannel } = await import('./teams.ts');
    return new TeamsChannel({ ...parts, config });
  },
};
