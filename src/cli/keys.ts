import { randomBytes } from 'node:crypto';

/* `npm run keys`: fresh secrets for the environment, as a `.env` file has them. */

const ABOUT = `# Fresh secrets for a new bot, to be kept where secrets are kept: npm run --silent keys >> .env
# docs/configuration.md says what each is for. HASH_KEY never changes; STATE_KEY can (docs/operators.md).`;

/** New ones at each call, by the names of their variables. */
export function freshSecrets() {
  const secret = (encoding: 'base64' | 'hex') => randomBytes(32).toString(encoding);
  return {
    STATE_KEY: secret('base64'),
    HASH_KEY: secret('base64'),
    STAFF_TOKEN: secret('hex'),
    OPERATOR_TOKEN: secret('hex'),
    TELEGRAM_WEBHOOK_SECRET: secret('hex'),
  };
}

if (import.meta.main && process.argv.length > 2) {
  console.error('npm run keys has no options');
  process.exitCode = 2;
} else if (import.meta.main) {
  const lines = Object.entries(freshSecrets()).map(([name, value]) => `${name}=${value}`);
  console.log([ABOUT, ...lines].join('\n'));
}
