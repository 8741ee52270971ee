import type { Config } from './arrange.ts';
import { applying, isLoopback, type Written } from './written.ts';

/** What is right and dangerous all the same, one line each. */
export function warnings(written: Written, config: Config): string[] {
  return applying([
    [
      config.settings.identityProof === 'off',
      'IDENTITY_PROOF=off: whoever types a phone or e-mail can read its history and spend its points',
    ],
    [
      config.antcrm.contacts === 'off',
      "ANTCRM_CONTACTS=off: no linking check, so an accumulation can tie an e-mail to somebody else's phone",
    ],
    [
      written.TEAMS_AUTH === 'off',
      'TEAMS_AUTH=off: every program on this machine can speak for anybody on Teams',
    ],
    [
      config.redis !== undefined && (written.STATE_KEY === undefined || written.HASH_KEY === undefined),
      'STATE_KEY or HASH_KEY is unset: what is stored in Redis is sealed with a key that everybody knows',
    ],
    [
      config.antcrm.real?.baseUrl.startsWith('http:') === true &&
        !isLoopback(new URL(config.antcrm.real.baseUrl).hostname),
      'ANTCRM_BASE_URL is http: the API key and personal data travel unencrypted',
    ],
    [
      written.ANTCRM_API_KEY !== undefined && config.antcrm.real === undefined,
      'ANTCRM_API_KEY is set and ANTCRM_BASE_URL is not: the sandbox is the backend',
    ],
    [
      config.publicUrl !== undefined && config.trustProxy === undefined,
      "TRUST_PROXY is unset with PUBLIC_URL: to the limits per address all strangers are one, the proxy's",
    ],
    [
      config.staffToken !== undefined && config.antcrm.real !== undefined,
      'STAFF_TOKEN with a real AntCRM: what staff earn and spend is real, and audited',
    ],
  ]);
}
