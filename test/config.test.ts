import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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
const telegram: Environment = { TELEGRAM_BOT_TOKEN: '1:a', TELEGRAM_WEBHOOK_SECRET: 'A-z_9' };
const teams: Environment = {
  MICROSOFT_APP_ID: 'app',
  MICROSOFT_APP_PASSWORD: 's3cret',
  MICROSOFT_APP_TYPE: 'SingleTenant',
  MICROSOFT_APP_TENANT_ID: 'tenant',
};
const SDK_NAMES = [...documentation.keys()].filter((name) => /^(To|OAuth)/.test(name));
const teamsOff: Environment = { TEAMS_AUTH: 'off' };

function configOf(env: Environment): Config {
  const read = readConfig(env);
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return read.config;
}

function faultsOf(env: Environment): readonly string[] {
  const read = readConfig(env);
  return read.ok ? [] : read.faults;
}

const warningsOf = (env: Environment): readonly string[] => readConfig(env).warnings;

const folder = mkdtempSync(join(tmpdir(), 'config-'));

/** The environment with a file of this content. */
function withFile(variable: string, content: unknown): Environment {
  const path = join(folder, 'list.json');
  writeFileSync(path, JSON.stringify(content));
  return { [variable]: path };
}

it('an empty environment, as a blank one, starts on the embedded parts without warnings', () => {
  const embedded = { redis: undefined, telegram: undefined, teams: undefined };
  expect(configOf({})).toMatchObject({
    ...embedded,
    staffToken: undefined,
    trustProxy: undefined,
    listen: { host: '127.0.0.1', port: 3000 },
    antcrm: { real: undefined, timeoutMs: 8000, maxCalls: 32, contacts: 'on' },
    settings: { defaultLocale: 'vi', timeZone: 'Asia/Ho_Chi_Minh', identityProof: 'required' },
  });
  expect(warningsOf({})).toEqual([]);
  const blank = Object.fromEntries([...documentation.keys()].map((name) => [name, ' ']));
  expect(configOf(blank)).toEqual(configOf({}));
});

it('a person answers where there are staff routes, unless HANDOVER says no', () => {
  const isAnswered = (env: Environment) => configOf(env).settings.handover;
  const real = { ANTCRM_BASE_URL: 'https://x.example', ANTCRM_API_KEY: 'k' };
  expect([{}, { ...real, STAFF_TOKEN: 'a-staff-token-of-some-length' }].map(isAnswered)).toEqual([
    true,
    true,
  ]);
  const others = [real, { PUBLIC_URL: 'https://x.example' }, { HANDOVER: 'off' }];
  expect(others.map(isAnswered)).toEqual([false, false, false]);
});

it('the console is for developers too outside production, unless CONSOLE_DEVELOPERS says otherwise', () => {
  const shows = (env: Environment) => configOf(env).showsDevelopers;
  expect([{}, { ...production, CONSOLE_DEVELOPERS: 'on' }].map(shows)).toEqual([true, true]);
  expect([production, { CONSOLE_DEVELOPERS: 'off' }].map(shows)).toEqual([false, false]);
});

it('values become what the parts need', () => {
  const config = configOf({
    ...production,
    ...telegram,
    PUBLIC_URL: 'https://bot.example.vn/loyalty/',
    TRUST_PROXY: '10.0.0.0/8, ::1,fd00::/8',
    REDIS_URL: 'rediss://user:pw@a:6379, rediss://b:6379',
    REDIS_WAIT_REPLICAS: '1',
    OPERATION_CHECKS: '100ms, 2s,1h',
    CODE_PREFIXES: 'TIVI, TULANH',
    TEAMS_SERVICE_HOSTS: 'a.example, localhost:8080',
    ...teams,
  });
  expect(config).toMatchObject({
    publicUrl: 'https://bot.example.vn/loyalty',
    trustProxy: ['10.0.0.0/8', '::1', 'fd00::/8'],
    redis: { address: { kind: 'cluster', tls: true }, waitReplicas: 1 },
    antcrm: { real: { baseUrl: 'https://apiring.antbuddy.com', apiKey: 'k3y' } },
    telegram: { mode: 'webhook', secret: 'A-z_9', rates: { perSecond: 30, chatBurst: 3 } },
    teams: { serviceHosts: ['a.example', 'localhost:8080'], trustedTenants: ['tenant'] },
    codePrefixes: ['TIVI', 'TULANH'],
    settings: { operationChecksMs: [100, 2000, 3_600_000] },
  });
  expect(config.keys.hash.toString('base64')).toBe(key);
  expect(configOf({ TRUST_PROXY: '2' }).trustProxy).toBe(2);
});

const none = 'got nothing, wants ';
it.each<[Environment, string]>([
  [{ PUBLIC_URL: 'https://me:pw@bot.vn' }, 'PUBLIC_URL: got "https://***@bot.vn", wants '],
  [{ REDIS_URL: 'redis://:pw@a,http://b' }, 'REDIS_URL: got a secret of 22 characters, wants redis'],
  [{ HASH_KEY: 'short' }, 'HASH_KEY: got a secret of 5 characters, wants base64'],
  [
    { HASH_KEY: Buffer.alloc(32).toString('base64') },
    'HASH_KEY: got a secret of 44 characters, few of them dif',
  ],
  [
    { STAFF_TOKEN: 'a'.repeat(32) },
    'STAFF_TOKEN: got a secret of 32 characters, few of them different, wants ',
  ],
  [{ PORT: '3000', ADMIN_PORT: '3000' }, "ADMIN_PORT: got PORT's, wants another"],
  [{ ADMIN_PORT: '3000' }, "ADMIN_PORT: got PORT's, wants another"],
  [
    { STAFF_TELEGRAM_CHAT: '@shop', ...telegram },
    'STAFF_TELEGRAM_CHAT: got an id of 5 characters, wants the id',
  ],
  [{ STAFF_TELEGRAM_CHAT: '-1001234567890' }, `TELEGRAM_BOT_TOKEN: ${none}`],
  [{ STAFF_PEOPLE: '/no/such', STAFF_TOKEN: key }, 'STAFF_PEOPLE: /no/such cannot be read: ENOENT'],
  [{ STAFF_PEOPLE: '/dev/null' }, 'STAFF_TOKEN: got nothing, wants at least 16 visible ASCII'],
  [{ OPERATOR_TOKEN: key, STAFF_TOKEN: key }, "OPERATOR_TOKEN: got STAFF_TOKEN's, wants another"],
  [
    { ...telegram, TELEGRAM_WEBHOOK_SECRET: 'of-16-characters', STAFF_TOKEN: 'of-16-characters' },
    "TELEGRAM_WEBHOOK_SECRET: got STAFF_TOKEN's, wants another",
  ],
  [{ REDIS_WAIT_REPLICAS: '1' }, `REDIS_URL: ${none}`],
  [{ STATE_KEY_PREVIOUS: key }, `STATE_KEY: ${none}`],
  [{ HANDOVER_WEBHOOK: 'http://127.0.0.1.example/x' }, 'HANDOVER_WEBHOOK: got a secret of 26 ch'],
  [
    { PROOF_GATEWAY_URL: 'http://sms.example/otp' },
    'PROOF_GATEWAY_URL: got a secret of 22 characters, wants ',
  ],
  [{ PROOF_COOLDOWN: '169h' }, 'PROOF_COOLDOWN: got "169h", wants 0, or a time'],
  [{ ANTCRM_BASE_URL: 'https://a.vn' }, `ANTCRM_API_KEY: ${none}`],
  [{ ...teams, MICROSOFT_APP_TYPE: 'UserAssignedMSI' }, 'MICROSOFT_APP_PASSWORD: got a secret, wants none'],
  [{ ...teams, TEAMS_SERVICE_HOSTS: '*.trafficmanager.net' }, 'TEAMS_SERVICE_HOSTS: got '],
  [
    { ...teamsOff, TEAMS_SERVICE_HOSTS: 'a.vn:99999' },
    'TEAMS_SERVICE_HOSTS: got an address of 10 characters, wants ',
  ],
  [{ ...teamsOff, HOST: '0.0.0.0' }, 'TEAMS_AUTH: got "off", wants "on"'],
  [{ ...teamsOff, PUBLIC_URL: 'https://bot.example' }, 'TEAMS_AUTH: got "off", wants "on"'],
  [{ ...production, ...teamsOff }, 'TEAMS_AUTH: got "off", wants "on"'],
])('what is wrong or dangerous is named, shown and answered with what is wanted: %j', (env, fault) => {
  const [only, ...others] = faultsOf(env);
  expect([only?.slice(0, fault.length), others]).toEqual([fault, []]);
});

it('a refused start shows only the length of a secret, an id or an address that does not parse', () => {
  const secret = 'hun~ter2';
  const wrong = {
    MICROSOFT_APP_ID: secret,
    MICROSOFT_APP_TENANT_ID: secret,
    TEAMS_TENANTS: secret,
    HOST: `admin@${secret}`,
    PUBLIC_URL: `https://admin:hun/ter2@${secret}`,
    ANTCRM_BASE_URL: `https://admin:80/${secret}@host`,
    TELEGRAM_API_ROOT: `https://api.telegram.org/bot123:${secret}?x`,
    OAuthUrl: secret,
    TEAMS_SERVICE_HOSTS: secret,
    TRUST_PROXY: secret,
    LOG_LEVEL: `${secret}`.repeat(5),
  };
  const faults = faultsOf(wrong);
  for (const name of Object.keys(wrong)) expect(faults.join('\n')).toContain(`${name}: got`);
  for (const part of ['hun~', 'ter2', 'hun/']) expect(faults.join('\n')).not.toContain(part);
  expect(faults).toContainEqual(expect.stringContaining('MICROSOFT_APP_ID: got an id of 8 characters'));
  expect(faults).toContainEqual(expect.stringContaining('PUBLIC_URL: got an address of 31 characters'));
  expect(faults).toContainEqual(
    expect.stringContaining('TELEGRAM_API_ROOT: got "https://api.telegram.org/…"'),
  );
  // Exchanged, as happens.
  const exchanged = { MICROSOFT_APP_ID: secret, MICROSOFT_APP_PASSWORD: 'an-id' };
  for (const env of [exchanged, { CLIENT_ID: secret, CLIENT_SECRET: 'an-id' }])
    expect(faultsOf(env)[0]).toMatch(/^MICROSOFT_APP_ID: got an id of 8 characters, wants /);
});

it('all faults come at once, each variable once, and no secret is shown', () => {
  const secret = 'do-not-show-me';
  const teamsSome = {
    MICROSOFT_APP_PASSWORD: 'x',
    MICROSOFT_APP_TYPE: 'SingleTenant',
    OAuthUrl: 'https://a',
  };
  const wrong = { PORT: 'x', STATE_KEY: secret, TELEGRAM_BOT_TOKEN: '1:a', GIFTS_FILE: '/no/such/file.json' };
  const faults = faultsOf({ NODE_ENV: 'production', ...wrong, ...teamsSome });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual([
    ...['PORT', 'GIFTS_FILE', 'STATE_KEY', 'REDIS_URL', 'ANTCRM_BASE_URL', 'SUPPORT_CONTACT', 'HASH_KEY'],
    ...['TELEGRAM_WEBHOOK_SECRET', 'MICROSOFT_APP_ID', ...SDK_NAMES.slice(0, 5)],
  ]);
  const { MICROSOFT_APP_ID: id } = teams;
  expect(faultsOf({ MICROSOFT_APP_ID: id, MICROSOFT_APP_TYPE: 'SingleTenant' })).toEqual([
    expect.stringMatching(/^MICROSOFT_APP_PASSWORD: got nothing/),
    expect.stringMatching(/^MICROSOFT_APP_TENANT_ID: got nothing/),
  ]);
  expect(faults.join('\n')).not.toContain(secret);
  expect(EXIT_CONFIG).toBe(78);
});

it.each<[Environment, string]>([
  [{ IDENTITY_PROOF: 'off' }, 'IDENTITY_PROOF=off'],
  [{ ANTCRM_CONTACTS: 'off' }, 'ANTCRM_CONTACTS=off'],
  [teamsOff, 'TEAMS_AUTH=off'],
  [{ REDIS_URL: 'redis://127.0.0.1', HASH_KEY: key }, 'STATE_KEY or HASH_KEY is unset'],
  [{ ...production, STATE_KEY: key }, 'STATE_KEY and HASH_KEY are equal'],
  [
    { STATE_KEY: key, STATE_KEY_PREVIOUS: key.replace('=', '') },
    'STATE_KEY and STATE_KEY_PREVIOUS are equal',
  ],
  [
    { ...production, ANTCRM_API_KEY: key, STAFF_TOKEN: key },
    'ANTCRM_API_KEY and HASH_KEY and STAFF_TOKEN are',
  ],
  [
    { PROOF_GATEWAY_URL: 'https://a.vn', PROOF_GATEWAY_TOKEN: key, OPERATOR_TOKEN: key },
    'OPERATOR_TOKEN and PROOF_GATEWAY_TOKEN are equal: each wants a secret of its own',
  ],
  [{ PROOF_COOLDOWN: '24h' }, 'PROOF_COOLDOWN has no effect without PROOF_GATEWAY_URL'],
  [{ PROOF_GATEWAY_TOKEN: 'a' }, 'PROOF_GATEWAY_TOKEN has no effect without PROOF_GATEWAY_URL'],
  [{ ...teams, TEAMS_TENANTS: 'tenant, Common' }, 'TEAMS_TENANTS has a directory of everybody'],
  ...['trafficmanager.net', 'mine.trafficmanager.net:443', 'a.b.azurewebsites.net'].map(
    (hosts): [Environment, string] => [
      { ...teams, TEAMS_SERVICE_HOSTS: `smba.trafficmanager.net,${hosts}` },
      'TEAMS_SERVICE_HOSTS has a host under a domain where anybody can rent one',
    ],
  ),
  ...['silent', 'fatal', 'error'].map((level): [Environment, string] => [
    { ...production, LOG_LEVEL: level },
    `LOG_LEVEL=${level}: alarms are not logged`,
  ]),
  [{ ANTCRM_TIMEOUT_MS: '1' }, 'ANTCRM_TIMEOUT_MS is below 500'],
  [{ ...production, ANTCRM_BASE_URL: 'http://antcrm.vn' }, 'ANTCRM_BASE_URL is http'],
  [{ PUBLIC_URL: 'https://bot.example.vn' }, 'TRUST_PROXY is unset with PUBLIC_URL'],
  ...['10.0.0.1,0.0.0.0/0', '0.0.0.0/1,128.0.0.0/1', '::/0', '8000::/1', '::ffff:0:0/96'].map(
    (proxies): [Environment, string] => [
      { TRUST_PROXY: proxies },
      'TRUST_PROXY covers addresses of strangers',
    ],
  ),
  [{ ...telegram, TELEGRAM_WEBHOOK_SECRET: 'ab'.repeat(16) }, 'TELEGRAM_WEBHOOK_SECRET is easily guessed'],
  [telegram, 'TELEGRAM_WEBHOOK_SECRET is easily guessed'],
  [{ OPERATION_CHECKS: '1s,50s,5m' }, 'OPERATION_CHECKS: "not applied" is told within a minute'],
  [{ ...telegram, TELEGRAM_MODE: 'polling', TELEGRAM_API_ROOT: 'http://a.vn' }, 'TELEGRAM_API_ROOT is http'],
  [{ ...production, HANDOVER: 'on' }, 'HANDOVER=on has no effect without STAFF_TOKEN'],
  [{ GIFT_FILE: 'gifts.json' }, 'unknown variable GIFT_FILE: did you mean GIFTS_FILE?'],
  [{ SUPORT_CONTACT: '1900 0000' }, 'unknown variable SUPORT_CONTACT: did you mean SUPPORT_CONTACT?'],
  [{ STAFFTOKEN: 'x' }, 'unknown variable STAFFTOKEN: did you mean STAFF_TOKEN?'],
  [{ TRUSTPROXY: '1' }, 'unknown variable TRUSTPROXY: did you mean TRUST_PROXY?'],
  [{ PROT: '1' }, 'unknown variable PROT: did you mean PORT?'],
  [{ REDIS_WAIT: '1' }, 'unknown variable REDIS_WAIT'],
])('what is allowed and dubious is warned about: %j', (env, warning) => {
  expect(warningsOf(env)).toEqual([expect.stringContaining(warning)]);
});

it('a sound production is not warned about, nor what Kubernetes sets for a service called redis', () => {
  const services = { REDIS_SERVICE_HOST: '10.0.0.1', REDIS_PORT: 'tcp://10.0.0.1' };
  const others = {
    EDITOR: 'vi',
    HOME: '/',
    PATH: '/',
    HOSTNAME: 'x',
    TZ: 'UTC',
    HTTP_PROXY: 'x',
    NO_PROXY: 'x',
  };
  expect(warningsOf({ ...production, ...services, ...others })).toEqual([]);
  const connector = { TEAMS_SERVICE_HOSTS: 'smba.trafficmanager.net' };
  expect(warningsOf({ ...production, ...teams, ...connector })).toEqual([]);
});

it('Teams takes the settings of another cloud as they are written', () => {
  const endpoints = Object.fromEntries(SDK_NAMES.map((name) => [name, 'https://a']));
  expect(configOf({ ...teams, ...endpoints }).teams?.registration).toMatchObject({ endpoints });
});

it('Teams takes what the Teams CLI writes, where it wrote an id and a secret and ours are unset', () => {
  const written = { CLIENT_ID: 'cli', CLIENT_SECRET: 's3cret', TENANT_ID: 'tenant' };
  const registration = { appId: 'cli', password: 's3cret', tenant: 'tenant' };
  expect(configOf(written).teams).toMatchObject({ registration });
  expect(configOf({ ...written, ...teams }).teams?.registration?.appId).toBe('app');
  for (const some of [{ CLIENT_SECRET: 'x' }, { CLIENT_ID: 'x' }, { TENANT_ID: 'x' }])
    expect(configOf(some).teams).toBeUndefined();
});

it('Teams is on without a registration only by TEAMS_AUTH=off', () => {
  for (const env of [teamsOff, { ...teams, ...teamsOff }, { ...teamsOff, HOST: '::1' }])
    expect([configOf(env).teams?.registration, faultsOf(env)]).toEqual([undefined, []]);
});

it('.env of the working directory fills in what the environment leaves unset', () => {
  const file = join(folder, '.env');
  const module = new URL('../src/config.ts', import.meta.url).href;
  const program = `
    const { environment, readConfig } = await import('${module}');
    const { config } = readConfig(environment());
    console.log(config.listen.port, config.logLevel);`;
  const options = { cwd: folder, encoding: 'utf8', env: { PORT: '5000' } } as const;
  const run = () => spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
  // As an editor of Windows writes it.
  writeFileSync(file, '\uFEFFLOG_LEVEL=debug\r\nPORT=4000\r\n');
  expect(run().stdout).toBe('5000 debug\n');
  // As Docker makes it of a missing file.
  rmSync(file);
  mkdirSync(file);
  expect(run()).toMatchObject({ status: 78, stderr: expect.stringMatching(/^\.env cannot be read: .*\n$/) });
});

it('a file of gifts with wrong entries is a list of faults, each with its place; one that is missing is one, too', () => {
  const gift = { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 };
  const wrong = { ...gift, code: 'x~y', name: { vi: ' ' }, score: -1 };
  const images = ['http://shop.example/a.jpg', 'https://me:pass@shop.example/a.jpg'];
  const entries = [gift, gift, wrong, ...images.map((image, at) => ({ ...gift, code: `${at}`, image }))];
  const none = { ANSWERS_FILE: join(folder, 'none.json') };
  const faults = faultsOf({ ...withFile('GIFTS_FILE', entries), ...none });
  expect(faults.map((fault) => fault.split(/json|: /)[2])).toEqual([
    ...['[2].code', '[2].name.vi', '[2].name.en', '[2].score', '[3].image', '[4].image', ' cannot be read'],
  ]);
  expect(faultsOf(withFile('GIFTS_FILE', [gift, gift]))).toEqual([
    expect.stringMatching(/list\.json\[1\]: DAUMAY01 is there already$/),
  ]);
});

it('an answer in one language is enough: customers of the other one get it, too, and that is warned about', () => {
  const only = [{ id: 'hours', answer: { vi: '8h–21h' } }];
  const { answers } = configOf(withFile('ANSWERS_FILE', only));
  expect(answers).toMatchObject([{ id: 'hours', answer: { vi: '8h–21h', en: '8h–21h' } }]);
  expect(warningsOf(withFile('ANSWERS_FILE', only))).toEqual([
    'ANSWERS_FILE: without "en", whose customers get the other language: hours',
  ]);
  const [fault] = faultsOf(withFile('ANSWERS_FILE', [{ id: 'hours', answer: {} }]));
  expect(fault).toMatch(/list\.json\[0\]\.answer: Wants a text in vi or en$/);
});

it('the faults of a file are told in words of this project', () => {
  const gift = { code: 'A', name: { vi: 'a', en: 'a' }, score: 1 };
  const entries = [
    { ...gift, name: { en: 'a' } },
    { ...gift, code: 'B', score: '10' },
    { ...gift, code: 'C', score: -1 },
    { ...gift, code: 'D', prize: 5, name: { vi: '', en: 'x'.repeat(101) } },
    'gift',
  ];
  expect(faultsOf(withFile('GIFTS_FILE', entries)).map((fault) => fault.split('list.json')[1])).toEqual([
    '[0].name.vi: Is missing: wants a text',
    '[1].score: Wants a number',
    '[2].score: Wants at least 0',
    '[3].name.vi: Is empty',
    '[3].name.en: Wants at most 100 characters',
    '[3]: Unknown field "prize"',
    '[4]: Wants an object { … }',
  ]);
  expect(faultsOf(withFile('GIFTS_FILE', {}))).toEqual([expect.stringMatching(/list\.json: Wants a list$/)]);
});

it('a file of answers is read as docs/configuration.md shows it', () => {
  const document = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  const example: unknown = JSON.parse(/## Answers[\s\S]*?```json\n([\s\S]*?)```/.exec(document)?.[1] ?? '');
  const { answers } = configOf(withFile('ANSWERS_FILE', example));
  expect(questionsOf(answers)('mấy giờ cửa hàng mở cửa ạ?')).toBe('hours');
  expect(answers.find(({ id }) => id === 'hours')?.answer.en).toContain('8:00');
});
