import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, documentation, type Environment, EXIT_CONFIG, readConfig } from '../src/config.ts';
import { questionsOf } from './support/conversation.ts';

const key = randomBytes(32).toString('base64');
const production: Environment = {
  NODE_ENV: 'production',
  REDIS_URL: 'redis://redis:6379',
  ANTCRM_BASE_URL: 'https://apiring.antbuddy.com',
  ANTCRM_API_KEY: 'k3y',
  STATE_KEY: randomBytes(32).toString('base64'),
  HASH_KEY: key,
  SUPPORT_CONTACT: '1900 0000',
};

function configOf(env: Environment): Config {
  const read = readConfig(env);
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return read.config;
}

function faultsOf(env: Environment): readonly string[] {
  const read = readConfig(env);
  return read.ok ? [] : read.faults;
}

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file that a variable names. */
const file = (variable: string, name: string) => {
  const path = join(folder, name);
  return (content: unknown): Environment => {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return { [variable]: path };
  };
};

const warningsOf = (env: Environment): readonly string[] => readConfig(env).warnings;

describe('an empty environment', () => {
  it('starts on the embedded parts, with the defaults of the contract and nothing to warn about', () => {
    const { keys, ...config } = configOf({});
    expect(config).toEqual({
      production: false,
      listen: { host: '127.0.0.1', port: 3000 },
      publicUrl: undefined,
      trustProxy: undefined,
      logLevel: 'info',
      redis: undefined,
      antcrm: { real: undefined, timeoutMs: 8000, maxCalls: 32, contacts: 'on' },
      telegram: undefined,
      teams: undefined,
      staffToken: undefined,
      gifts: undefined,
      codePrefixes: undefined,
      answers: [],
      settings: {
        defaultLocale: 'vi',
        timeZone: 'Asia/Ho_Chi_Minh',
        supportContact: undefined,
        identityProof: 'required',
        handover: true,
        operationChecksMs: [5_000, 20_000, 60_000, 300_000, 1_800_000],
      },
    });
    expect(warningsOf({})).toEqual([]);
  });

  it.each<[boolean, Environment]>([
    [true, { STAFF_TOKEN: 'x'.repeat(16), ANTCRM_BASE_URL: 'https://x.example', ANTCRM_API_KEY: 'k' }],
    [false, { ANTCRM_BASE_URL: 'https://x.example', ANTCRM_API_KEY: 'k' }],
    [false, { PUBLIC_URL: 'https://x.example' }],
    [false, { HANDOVER: 'off' }],
  ])('lets a person answer where there are staff routes: %s with %j', (handover, env) => {
    expect(configOf(env).settings.handover).toBe(handover);
  });

  it('is what blank variables amount to', () => {
    const blank = Object.fromEntries([...documentation.keys()].map((name) => [name, ' ']));
    expect(configOf(blank)).toEqual(configOf({}));
  });
});

it('values become what the parts need', () => {
  const config = configOf({
    ...production,
    PUBLIC_URL: 'https://bot.example.vn/loyalty/',
    TRUST_PROXY: '10.0.0.0/8, ::1,fd00::/8',
    REDIS_URL: 'rediss://user:pw@a:6379, rediss://b:6379',
    REDIS_WAIT_REPLICAS: '1',
    OPERATION_CHECKS: '100ms, 2s,1h',
    TELEGRAM_BOT_TOKEN: '123:AAb_c-d',
    TELEGRAM_WEBHOOK_SECRET: 'A-z_9',
    ADMIN_PORT: '0',
    CODE_PREFIXES: 'TIVI, TULANH',
  });
  expect(config).toMatchObject({
    production: true,
    publicUrl: 'https://bot.example.vn/loyalty',
    trustProxy: ['10.0.0.0/8', '::1', 'fd00::/8'],
    redis: { address: { kind: 'cluster', tls: true }, waitReplicas: 1 },
    antcrm: { real: { baseUrl: 'https://apiring.antbuddy.com', apiKey: 'k3y' } },
    telegram: { mode: 'webhook', secret: 'A-z_9', rates: { perSecond: 30, chatBurst: 3 } },
    adminPort: 0,
    codePrefixes: ['TIVI', 'TULANH'],
    settings: { operationChecksMs: [100, 2000, 3_600_000] },
  });
  expect(config.keys.hash.toString('base64')).toBe(key);
  expect(configOf({ TRUST_PROXY: '2' }).trustProxy).toBe(2);
});

describe('a wrong value is named, shown and answered with what is wanted', () => {
  it.each([
    [{ PORT: '70000' }, 'PORT: got "70000", wants a whole number from 0 to 65535'],
    [{ PUBLIC_URL: 'https://me:pw@bot.vn' }, /^PUBLIC_URL: got "https:\/\/\*\*\*@bot.vn", wants /],
    [{ TRUST_PROXY: '0' }, /^TRUST_PROXY: got "0", wants addresses or ranges/],
    [{ REDIS_URL: 'redis://:pw@a,http://b' }, /^REDIS_URL: got a secret of 22 characters, wants redis/],
    [{ OPERATION_CHECKS: '5s' }, /^OPERATION_CHECKS: got "5s", wants two or more rising delays/],
    [{ OPERATION_CHECKS: '5s,3h' }, /^OPERATION_CHECKS: /],
    [{ STATE_KEY: 'c2hvcnQ=' }, /^STATE_KEY: got a secret of 8 characters, wants base64 of 32 random bytes/],
    [{ HASH_KEY: Buffer.alloc(32).toString('base64') }, /^HASH_KEY: got a secret of 44 characters, wants /],
    [
      { OPERATOR_TOKEN: 'x'.repeat(16), STAFF_TOKEN: 'x'.repeat(16) },
      "OPERATOR_TOKEN: got STAFF_TOKEN's, wants another",
    ],
    [{ ADMIN_PORT: '3000' }, /^ADMIN_PORT: got PORT's, wants a port of its own/],
    [{ HANDOVER_WEBHOOK: 'http://127.0.0.1.example/x' }, /^HANDOVER_WEBHOOK: got a secret of 26 ch/],
  ] satisfies [Environment, string | RegExp][])('%j', (env, fault) => {
    const expected = typeof fault === 'string' ? fault : expect.stringMatching(fault);
    expect(faultsOf(env)).toEqual([expected]);
  });
});

describe('dangerous combinations are refused', () => {
  it.each([
    ['a Telegram webhook without its secret', { TELEGRAM_BOT_TOKEN: '1:a' }, 'TELEGRAM_WEBHOOK_SECRET'],
    ['the memory store in production', { ...production, REDIS_URL: '' }, 'REDIS_URL'],
    ['replicas to wait for without a Redis', { REDIS_WAIT_REPLICAS: '1' }, 'REDIS_URL'],
    ['the sandbox in production', { ...production, ANTCRM_BASE_URL: undefined }, 'ANTCRM_BASE_URL'],
    ['production without HASH_KEY', { ...production, HASH_KEY: undefined }, 'HASH_KEY'],
    ['production without STATE_KEY', { ...production, STATE_KEY: undefined }, 'STATE_KEY'],
    ['a real AntCRM without its key', { ANTCRM_BASE_URL: 'https://a.vn' }, 'ANTCRM_API_KEY'],
    ['production without a contact for customers', { ...production, SUPPORT_CONTACT: '' }, 'SUPPORT_CONTACT'],
  ] satisfies [string, Environment, string][])('%s', (_, env, name) => {
    expect(faultsOf(env)).toEqual([expect.stringMatching(`^${name}: got nothing, wants `)]);
  });
});

it('all faults come at once, each variable once, and no secret is shown', () => {
  const secret = 'do-not-show-me';
  const faults = faultsOf({
    NODE_ENV: 'production',
    PORT: 'x',
    TIME_ZONE: 'x',
    STATE_KEY: secret,
    TELEGRAM_BOT_TOKEN: secret,
    GIFTS_FILE: '/no/such/file.json',
  });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual([
    ...['PORT', 'GIFTS_FILE', 'TELEGRAM_BOT_TOKEN', 'STATE_KEY', 'TIME_ZONE'],
    ...['REDIS_URL', 'ANTCRM_BASE_URL', 'SUPPORT_CONTACT', 'HASH_KEY', 'TELEGRAM_WEBHOOK_SECRET'],
  ]);
  expect(faults.join('\n')).not.toContain(secret);
  expect(EXIT_CONFIG).toBe(78);
});

describe('what is allowed and dubious is warned about', () => {
  const polling = { TELEGRAM_BOT_TOKEN: '1:a', TELEGRAM_MODE: 'polling' };
  it.each([
    [{ IDENTITY_PROOF: 'off' }, 'IDENTITY_PROOF=off'],
    [{ ANTCRM_CONTACTS: 'off' }, 'ANTCRM_CONTACTS=off'],
    [{ REDIS_URL: 'redis://127.0.0.1', HASH_KEY: key }, 'STATE_KEY or HASH_KEY is unset'],
    [{ ...production, ANTCRM_BASE_URL: 'http://antcrm.vn' }, 'ANTCRM_BASE_URL is http'],
    [{ PUBLIC_URL: 'https://bot.example.vn' }, 'TRUST_PROXY is unset with PUBLIC_URL'],
    [{ ANTCRM_API_KEY: 'k' }, 'ANTCRM_API_KEY is set, ANTCRM_BASE_URL is not'],
    [{ ...production, STAFF_TOKEN: 's'.repeat(16) }, 'STAFF_TOKEN with a real AntCRM'],
    [{ TELEGRAM_TOKEN: '1:a' }, 'unknown variable TELEGRAM_TOKEN'],
    [{ MICROSOFT_APP_TENANTID: 't' }, 'unknown variable MICROSOFT_APP_TENANTID'],
    [{ GIFT_FILE: 'gifts.json' }, 'unknown variable GIFT_FILE'],
    [{ OPERATION_CHECK: '5s,20s' }, 'unknown variable OPERATION_CHECK'],
    [{ TELEGRAM_BOT_TOKEN: '1:a', TELEGRAM_WEBHOOK_SECRET: 'short' }, 'TELEGRAM_WEBHOOK_SECRET is short'],
    [{ ...polling, TELEGRAM_API_ROOT: 'http://api.example' }, 'TELEGRAM_API_ROOT is http'],
    [{ ...production, HANDOVER: 'on' }, 'HANDOVER=on has no effect without STAFF_TOKEN'],
    [{ ...production, STATE_KEY: key }, 'STATE_KEY is HASH_KEY or STATE_KEY_PREVIOUS'],
    [{ STATE_KEY: key, STATE_KEY_PREVIOUS: key }, 'STATE_KEY is HASH_KEY or STATE_KEY_PREVIOUS'],
    [{ TRUST_PROXY: '10.0.0.1,0.0.0.0/0' }, 'TRUST_PROXY is a range of all addresses'],
  ] satisfies [Environment, string][])('%j', (env, warning) => {
    expect(warningsOf(env)).toEqual([expect.stringContaining(warning)]);
  });

  it('and a sound production is not, nor what Kubernetes sets for a service called redis', () => {
    const services = {
      REDIS_SERVICE_HOST: '10.0.0.1',
      REDIS_PORT: 'tcp://10.0.0.1',
      REDIS_PORT_6379_TCP: 'x',
    };
    expect(warningsOf({ ...production, ...services, EDITOR: 'vi' })).toEqual([]);
  });
});

describe('GIFTS_FILE', () => {
  const written = file('GIFTS_FILE', 'gifts.json');

  const gift = { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 };

  it.each(['http://shop.example/a.jpg', 'https://me:pass@shop.example/a.jpg'])(
    'with an image that no platform could fetch is a fault: %s',
    (image) => {
      expect(faultsOf(written([{ ...gift, image }]))).toEqual([expect.stringMatching(/\[0\]\.image: /)]);
    },
  );

  it('with wrong entries is a list of faults, each with its place', () => {
    const wrong = { ...gift, code: 'x~y', name: { vi: ' ' }, score: -1 };
    expect(faultsOf(written([gift, gift, wrong])).map((fault) => fault.replace(`${folder}/`, ''))).toEqual([
      'GIFTS_FILE: gifts.json[2].code: 1–40 visible ASCII characters, none of them ~',
      expect.stringMatching(/^GIFTS_FILE: gifts\.json\[2\]\.name\.vi: /),
      expect.stringMatching(/^GIFTS_FILE: gifts\.json\[2\]\.name\.en: /),
      expect.stringMatching(/^GIFTS_FILE: gifts\.json\[2\]\.score: /),
    ]);
    expect(faultsOf(written([gift, gift]))).toEqual([
      expect.stringMatching(/gifts\.json\[1\]: DAUMAY01 is there already$/),
    ]);
  });
});

describe('.env', () => {
  it('of the working directory fills in what the environment leaves unset', () => {
    const folder = mkdtempSync(join(tmpdir(), 'env-'));
    writeFileSync(join(folder, '.env'), 'PORT=4000\nLOG_LEVEL=debug\n');
    const module = new URL('../src/config.ts', import.meta.url).href;
    const program = `
      const { environment, readConfig } = await import('${module}');
      const { config } = readConfig(environment());
      console.log(config.listen.port, config.logLevel);`;
    const options = { cwd: folder, encoding: 'utf8', env: { PORT: '5000' } } as const;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
    rmSync(folder, { recursive: true });
    expect(stdout).toBe('5000 debug\n');
  });
});

describe('Teams', () => {
  const single: Environment = {
    MICROSOFT_APP_ID: 'app',
    MICROSOFT_APP_PASSWORD: 's3cret',
    MICROSOFT_APP_TYPE: 'SingleTenant',
    MICROSOFT_APP_TENANT_ID: 'tenant',
  };
  const endpoints: Environment = {
    ToBotFromChannelOpenIdMetadataUrl: 'https://a/openid',
    ToBotFromEmulatorOpenIdMetadataUrl: 'https://b/openid',
    ToBotFromChannelTokenIssuer: 'https://c/',
    ToChannelFromBotLoginUrl: 'https://d',
    ToChannelFromBotOAuthScope: 'https://e',
    OAuthUrl: 'https://f',
  };

  it('takes lists of hosts and directories, and the settings of another cloud as they are written', () => {
    const lists = { TEAMS_SERVICE_HOSTS: 'a.example, localhost:8080', TEAMS_TENANTS: 't1,t2' };
    expect(configOf({ ...single, ...lists, ...endpoints }).teams).toMatchObject({
      registration: { endpoints },
      serviceHosts: ['a.example', 'localhost:8080'],
      trustedTenants: ['t1', 't2'],
    });
  });

  it('takes what the Teams CLI writes, where it wrote an id and a secret and ours are unset', () => {
    const written = { CLIENT_ID: 'cli', CLIENT_SECRET: 's3cret', TENANT_ID: 'tenant' };
    expect(configOf(written).teams?.registration).toMatchObject({
      appId: 'cli',
      password: 's3cret',
      tenant: 'tenant',
    });
    expect(configOf({ ...written, ...single }).teams?.registration?.appId).toBe('app');
    for (const some of [{ CLIENT_SECRET: 'x' }, { CLIENT_ID: 'x' }, { TENANT_ID: 'x' }])
      expect(configOf(some).teams).toBeUndefined();
  });

  it('is on without a registration only by TEAMS_AUTH=off, which is warned about', () => {
    const off = { TEAMS_AUTH: 'off' };
    expect(configOf(off).teams).toEqual({
      registration: undefined,
      serviceHosts: undefined,
      trustedTenants: [],
    });
    expect(warningsOf(off).join()).toContain('TEAMS_AUTH=off');
    expect(configOf({ ...single, ...off }).teams?.registration).toBeUndefined();
    for (const HOST of ['localhost', '::1', '127.0.0.2']) expect(faultsOf({ ...off, HOST })).toEqual([]);
  });

  const faults: readonly [what: string, env: Environment, names: string][] = [
    ['an empty app id', { ...single, MICROSOFT_APP_ID: ' ' }, 'MICROSOFT_APP_ID'],
    ['no password', { ...single, MICROSOFT_APP_PASSWORD: '' }, 'MICROSOFT_APP_PASSWORD'],
    ['no directory', { ...single, MICROSOFT_APP_TENANT_ID: '' }, 'MICROSOFT_APP_TENANT_ID'],
    [
      'a password of a managed identity',
      { ...single, MICROSOFT_APP_TYPE: 'UserAssignedMSI' },
      'MICROSOFT_APP_PASSWORD',
    ],
    ['authentication off for the world', { TEAMS_AUTH: 'off', HOST: '0.0.0.0' }, 'TEAMS_AUTH'],
    [
      'authentication off behind a public address',
      { TEAMS_AUTH: 'off', PUBLIC_URL: 'https://bot.example' },
      'TEAMS_AUTH',
    ],
    ['authentication off in production', { ...production, TEAMS_AUTH: 'off' }, 'TEAMS_AUTH'],
    ['a pattern of hosts', { ...single, TEAMS_SERVICE_HOSTS: '*.trafficmanager.net' }, 'TEAMS_SERVICE_HOSTS'],
  ];

  it.each(faults)('refuses %s', (_what, env, name) => {
    expect(faultsOf(env)).toEqual([expect.stringMatching(new RegExp(`^${name}: got `))]);
  });
});

describe('ANSWERS_FILE', () => {
  const written = file('ANSWERS_FILE', 'answers.json');

  const hours = {
    id: 'hours',
    asks: { vi: ['mấy giờ mở cửa'], en: [] },
    answer: { vi: '8:00–21:00', en: '8:00–21:00' },
  };

  it('is read, and so is the example of docs/configuration.md', () => {
    const bare = { id: 'fee', answer: hours.answer };
    expect(configOf(written([hours, bare])).answers).toMatchObject([hours, bare]);
    const document = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
    const example: unknown = JSON.parse(/## Answers[\s\S]*?```json\n([\s\S]*?)```/.exec(document)?.[1] ?? '');
    const { answers } = configOf(written(example));
    expect(questionsOf(answers)('mấy giờ cửa hàng mở cửa ạ?')).toMatchObject({ id: 'hours' });
    expect(answers.find(({ id }) => id === 'hours')?.answer.en).toContain('8:00');
  });

  it('that is missing is a fault beside those of other files', () => {
    const none = join(folder, 'none.json');
    expect(faultsOf({ ANSWERS_FILE: none, GIFTS_FILE: none })).toEqual([
      expect.stringMatching(/^GIFTS_FILE: .*cannot be read/),
      expect.stringMatching(/^ANSWERS_FILE: .*cannot be read/),
    ]);
  });
});
