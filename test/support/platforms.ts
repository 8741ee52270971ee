import { startTeamsDouble } from './teams-double.ts';
import { startTelegramDouble } from './telegram-double.ts';

/** The secret of the Telegram webhook of a bot that has `telegramEnv`. */
export const WEBHOOK_SECRET = 'secret-of-telegram';

export type Platforms = Awaited<ReturnType<typeof startPlatforms>>;

/** Doubles of Telegram and of the Bot connector, and the variables of a bot that uses them. */
export async function startPlatforms() {
  const [telegram, teams] = await Promise.all([startTelegramDouble(), startTeamsDouble()]);
  return {
    telegram,
    teams,
    telegramEnv: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    },
    /** Teams without tokens. */
    teamsEnv: { TEAMS_AUTH: 'off', TEAMS_SERVICE_HOSTS: teams.host },
    async close(): Promise<void> {
      await Promise.all([telegram.close(), teams.close()]);
    },
  };
}
