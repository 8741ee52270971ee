import type { ChannelEntry } from '../channel.ts';
import { TEAMS } from './address.ts';
import type { TeamsConfig } from './teams.ts';

export const teams: ChannelEntry<{ readonly teams: TeamsConfig | undefined }> = {
  traits: TEAMS,
  async open({ teams: config }, { accept, limit, words, observe }) {
    if (!config) return { off: 'MICROSOFT_APP_ID is unset' };
    // Only then, for the Bot Framework SDK takes a third of an idle bot's memory.
    const { createTeams } = await import('./teams.ts');
    return createTeams({ config, accept, limit, words, observe });
  },
};
