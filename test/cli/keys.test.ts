import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { freshSecrets } from '../../src/cli/keys.ts';
import { readConfig } from '../../src/config.ts';
import { startProcess } from '../support/processes.ts';

it('npm run keys prints a file of variables that the configuration takes as they are', async () => {
  const keys = await startProcess('src/cli/keys.ts');
  expect((await keys.ended).code).toBe(0);
  const env = parseEnv(keys.output.join('\n'));
  expect(Object.keys(env).toSorted()).toEqual(Object.keys(freshSecrets()).toSorted());
  const read = readConfig({ ...env, TELEGRAM_BOT_TOKEN: '1:a' });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const { keys: used, staffToken, telegram } = read.config;
  expect(used.state.toString('base64')).toBe(env.STATE_KEY);
  expect(used.hash.toString('base64')).toBe(env.HASH_KEY);
  expect(staffToken).toBe(env.STAFF_TOKEN);
  expect(telegram).toMatchObject({ secret: env.TELEGRAM_WEBHOOK_SECRET });
});
