import { teamsConflicts } from './teams.ts';
import { applying, missing, type Written } from './written.ts';

/** Values that are right by themselves and wrong, or dangerous, together. */
export function conflicts(written: Written): string[] {
  const production = written.NODE_ENV === 'production';
  const polling = written.TELEGRAM_MODE === 'polling';
  const replicas = Number(written.REDIS_WAIT_REPLICAS) > 0;
  const unset = missing(
    [
      ['REDIS_URL', production, 'a Redis while NODE_ENV=production: the embedded store forgets everything'],
      ['REDIS_URL', !production && replicas, 'the Redis whose replicas REDIS_WAIT_REPLICAS waits for'],
      ['ANTCRM_BASE_URL', production, 'the real AntCRM while NODE_ENV=production: the sandbox is a toy'],
      ['ANTCRM_API_KEY', written.ANTCRM_BASE_URL !== undefined, 'the key of ANTCRM_BASE_URL'],
      [
        'TELEGRAM_WEBHOOK_SECRET',
        written.TELEGRAM_BOT_TOKEN !== undefined && !polling,
        'a secret while TELEGRAM_BOT_TOKEN is set (or TELEGRAM_MODE=polling): anybody could post updates',
      ],
      ['STATE_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
      [
        'STATE_KEY',
        !production && written.STATE_KEY_PREVIOUS !== undefined,
        'the key after STATE_KEY_PREVIOUS',
      ],
      ['HASH_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
      [
        'SUPPORT_CONTACT',
        production,
        'the hotline or link for whoever asks for a person, while NODE_ENV=production',
      ],
    ],
    written,
  );
  return [...unset, ...clashes(written), ...teamsConflicts(written)];
}

/** Values that must differ. */
function clashes({ PORT = '3000', ADMIN_PORT, STAFF_TOKEN, OPERATOR_TOKEN }: Written): string[] {
  return applying([
    [
      ADMIN_PORT !== undefined && Number(ADMIN_PORT) !== 0 && Number(ADMIN_PORT) === Number(PORT),
      "ADMIN_PORT: got PORT's, wants a port of its own (or none at all)",
    ],
    [
      OPERATOR_TOKEN !== undefined && OPERATOR_TOKEN === STAFF_TOKEN,
      'OPERATOR_TOKEN: got STAFF_TOKEN, wants another one: who tests the bot must not settle operations',
    ],
  ]);
}
