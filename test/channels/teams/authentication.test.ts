import nock from 'nock';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MEDIA_BOUNDS } from '../../../src/engine/messages.ts';
import type { Limit } from '../../../src/http/guard.ts';
import { answerByNock } from '../../support/nock.ts';
import { TENANT, textActivity } from '../../support/teams-activities.ts';
import type { TokenOptions } from '../../support/teams-double.ts';
import { CHAT, createBot } from './harness.ts';

answerByNock();

const HI = textActivity('hi');
const nowS = Math.floor(Date.now() / 1000);
const REPLAYED = { iss: `https://sts.windows.net/${TENANT}/`, tid: TENANT, ver: '1.0' };

const BAD_TOKENS: Readonly<Record<string, TokenOptions>> = {
  'another audience': { claims: { aud: 'somebody-else' } },
  'another issuer': { claims: { iss: 'https://evil.example' } },
  'an expiry ten minutes ago': { claims: { exp: nowS - 600 } },
  'no expiry': { claims: { exp: undefined } },
  'a beginning in ten minutes': { claims: { nbf: nowS + 600 } },
  'no key id': { header: { kid: undefined } },
  'another algorithm of the same key': { header: { alg: 'PS256' } },
  'a key that was not published': { sign: 'other' },
  'algorithm none': { sign: 'none' },
  'HS256 with the public key as the secret': { sign: 'hmac' },
  'a service URL that is not the activity’s': { claims: { serviceurl: 'https://evil.example/' } },
  'no service URL': { claims: { serviceurl: undefined } },
};

it('a request without a valid token is refused with 401, without a reason', async () => {
  const { post, bearer, double, appId, accepted, observed } = await createBot({ auth: 'on' });
  const [head = '', , signature] = double.mint(appId).split('.');
  const [, claims] = double.mint(appId, { claims: { extra: 1 } }).split('.');
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
  const requests: [what: string, authorization: string | null | undefined, more?: object][] = [
    ['no authorization', null],
    ['Basic', 'Basic dXNlcjpwYXNz'],
    ['garbage in three parts', 'Bearer a.b.c'],
    ["Azure AD's issuer (our own token, replayed)", bearer({ claims: { ...REPLAYED, appid: appId } })],
    ['a tampered payload', `Bearer ${head}.${claims}.${signature}`],
    ['a key that is published for another channel', bearer({ header: { kid: `${kid}-slack` } })],
    ['no channel', undefined, { channelId: undefined }],
    ['Direct Line, whose clients can claim to be anybody', undefined, { channelId: 'directline' }],
    ['an activity without a service URL', undefined, { serviceUrl: undefined }],
  ];
  for (const [what, token] of Object.entries(BAD_TOKENS)) requests.push([what, bearer(token)]);
  for (const [what, authorization, more] of requests) {
    const response = await post({ ...HI, ...more }, authorization);
    expect([what, response.json()]).toEqual([
      what,
      { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'The token is missing or wrong.' },
    ]);
  }
  expect(accepted).toEqual([]);
  expect(observed.filter((line) => line === '["update","teams","refused"]')).toHaveLength(requests.length);
});

it('a token of a tenant is accepted if the connector signed it', async () => {
  const { post, bearer, accepted } = await createBot({ auth: 'on' });
  const send = async (token: TokenOptions) => (await post(HI, bearer(token))).statusCode;
  expect(await send({ claims: { tid: 'ours' } })).toBe(200);
  expect(await send({ claims: { tid: 'junk' }, sign: 'other' })).toBe(401);
  expect(accepted).toHaveLength(1);
});

it('a token is accepted for some minutes after its expiry (clocks differ)', async () => {
  const { post, bearer } = await createBot({ auth: 'on' });
  const late = bearer({ claims: { exp: nowS - 120 } });
  expect((await post(HI, late)).statusCode).toBe(200);
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 4 * 60_000 });
  expect((await post(HI, late)).statusCode).toBe(401);
});

it('a token is verified once in five minutes while it lasts, and for one service', async () => {
  const { post, bearer } = await createBot({ auth: 'on' });
  const verify = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => void vi.useRealTimers());
  const token = bearer();
  const status = async (more = {}) => (await post({ ...HI, ...more }, token)).statusCode;
  expect([await status(), await status()]).toEqual([200, 200]);
  expect(verify).toHaveBeenCalledTimes(1);
  expect(await status({ serviceUrl: 'https://evil.example/' })).toBe(401);
  expect(await status({ channelId: 'directline' })).toBe(401);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  expect(await status()).toBe(200);
  expect(verify).toHaveBeenCalledTimes(2);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * 60 * 60_000 });
  expect(await status()).toBe(401);
});

it('a token is checked before the body, and a body before the connector', async () => {
  const { post } = await createBot({ auth: 'on', serviceHosts: ['smba.trafficmanager.net'] });
  for (const body of ['{', '[]', '{}', '"text"', '{"type":1}']) {
    expect((await post(body, null)).statusCode).toBe(401);
    expect((await post(body)).statusCode).toBe(400);
  }
  expect((await post(HI, null)).statusCode).toBe(401);
  expect((await post(HI)).statusCode).toBe(403);
});

describe('the signing keys', () => {
  const MINUTE_MS = 60_000;
  const DAY_MS = 24 * 60 * MINUTE_MS;

  /** A bot whose keys get older only when the test says so. */
  async function createKeysBot(options: Parameters<typeof createBot>[0] = {}) {
    const time = { nowMs: 0, isFast: false, retryMs: 0, elapse: () => {} };
    const runtime = {
      nowMs: () => Date.UTC(2026, 0, 1) + time.nowMs,
      monotonicMs: () => time.nowMs,
      timer(ms: number, run: () => void) {
        const elapse = () => {
          time.nowMs += ms;
          run();
        };
        Object.assign(time, { retryMs: ms, elapse });
        const soon = time.isFast ? setImmediate(elapse) : undefined;
        return { cancel: () => clearImmediate(soon) };
      },
    };
    // Such a one gets no token of its own here, at once.
    const registration = { type: 'MultiTenant', password: 'x' } as const;
    const bot = await createBot({ auth: 'on', registration, watchMs: DAY_MS, runtime, ...options });
    const send = async (token?: TokenOptions) => (await bot.post(HI, bot.bearer(token))).statusCode;
    const faults = () => bot.channel.faults?.().filter((fault) => fault.includes('signing keys'));
    /** The faults after the bot has looked by itself. */
    async function look() {
      await bot.channel.start?.();
      return faults();
    }
    return { ...bot, time, send, look, faults };
  }

  const unknown = { header: { kid: 'unknown' } };
  const waitAfter = (reads: number): number => Math.min(30_000, 1000 * 2 ** (reads - 1));

  it('are read by the start; without them, whatever came instead, tokens get 503 and the channel is degraded', async () => {
    for (const fault of ['cut', 'html', 'empty'] as const) {
      const { double, faults, send, look, observed, time } = await createKeysBot();
      double.breakKeys(fault);
      expect(faults()).toEqual([expect.stringContaining('no message is accepted')]);
      expect(await look()).toEqual([expect.stringContaining('no message is accepted')]);
      expect(observed.join()).toMatch(/channel_out_of_order.*signing keys/);
      time.nowMs += 1000;
      expect(await send()).toBe(503);
      time.nowMs += 1000;
      expect(await send(unknown)).toBe(503);
      double.breakKeys();
      time.nowMs += 1000;
      expect(await send()).toBe(200);
      expect(await look()).toEqual([]);
    }
    const { double, send, look } = await createKeysBot();
    expect([await look(), double.keyReads(), await send()]).toEqual([[], 1, 200]);
    expect(double.keyReads()).toBe(1);
  });

  it('that could not be read are read again after 1, 2, 4 … 30 s, unasked; readiness says since when, and why', async () => {
    const { double, faults, look, time, send } = await createKeysBot();
    double.breakKeys('html');
    const [fault] = (await look()) ?? [];
    expect(fault).toContain('since 2026-01-01T00:00:00.000Z (the answer has no keys)');
    const waits: number[] = [];
    for (let reads = 1; reads <= 7; reads += 1) {
      await vi.waitFor(() => expect([double.keyReads(), time.retryMs]).toEqual([reads, waitAfter(reads)]));
      waits.push(time.retryMs);
      time.elapse();
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    await vi.waitFor(() => expect(double.keyReads()).toBe(8));
    expect(faults()).toEqual([fault]);
    double.breakKeys();
    time.elapse();
    await vi.waitFor(() => expect(faults()).toEqual([]));
    expect([await send(), double.keyReads()]).toEqual([200, 9]);
  });

  it('that are back are read for the first token, which waits for a second at most', async () => {
    const { double, look, time, send } = await createKeysBot();
    double.breakKeys('cut');
    await look();
    time.nowMs += 300;
    double.breakKeys();
    time.isFast = true;
    expect([await send(), time.retryMs, time.nowMs]).toEqual([200, 700, 1000]);
  });

  it('that are read while tokens arrive are read once for all of them', async () => {
    const { double, send, look } = await createKeysBot();
    const statuses = await Promise.all([...Array.from({ length: 5 }, () => send()), look()]);
    expect([statuses.slice(0, 5), double.keyReads()]).toEqual([Array(5).fill(200), 1]);
  });

  it('are read for an unknown id at most once a minute: between the reads it gets 503, after one 401', async () => {
    const { double, send, time } = await createKeysBot();
    expect([await send(), await send(unknown), await send(unknown)]).toEqual([200, 503, 503]);
    double.changeKey();
    expect([await send(), double.keyReads()]).toEqual([503, 1]);
    time.nowMs += MINUTE_MS;
    expect(await Promise.all([send(), send(unknown), send()])).toEqual([200, 401, 200]);
    expect([await send(unknown), double.keyReads()]).toEqual([503, 2]);
  });

  it('are changed as a whole every day; while they cannot be read, those of before serve for a week', async () => {
    const { double, bearer, post, send, time, look } = await createKeysBot();
    const before = bearer({ claims: { nbf: 0 } });
    expect(await look()).toEqual([]);
    time.nowMs += DAY_MS + 1;
    double.breakKeys('html');
    expect(await look()).toEqual([expect.stringContaining('serve for seven days')]);
    expect(await send()).toBe(200);
    time.nowMs += 6 * DAY_MS - 2;
    expect([await send(), (await look())?.length]).toEqual([200, 1]);
    time.nowMs += 1000;
    expect([await send({ claims: { n: 1 } }), await look()]).toEqual([
      503,
      [expect.stringContaining('no message is accepted')],
    ]);
    double.breakKeys();
    double.changeKey();
    expect([await look(), await send()]).toEqual([[], 200]);
    time.nowMs += MINUTE_MS;
    expect((await post(HI, before)).statusCode).toBe(401);
  });

  it('are asked for once while they are out of reach, however many forged tokens come; the sender is limited', async () => {
    let asked = 0;
    const limit: Limit = async (_request, reply) => (++asked > 30 ? reply.code(429).send() : undefined);
    const { double, post, bearer } = await createKeysBot({ limit });
    double.breakKeys('cut');
    const forged = Array.from({ length: 100 }, (_, n) =>
      bearer({ header: { kid: `forged ${n}` }, sign: 'other' }),
    );
    const answers = await Promise.all(forged.map((token) => post(HI, token)));
    expect([503, 429].map((code) => answers.filter((answer) => answer.statusCode === code).length)).toEqual([
      30, 70,
    ]);
    expect(Number(answers[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect([double.keyReads(), answers[0]?.body.includes(double.host)]).toEqual([1, false]);
  });
});

// One test: Azure's library looks for its endpoint once in a process, and files may share one (`npm run
// test:quick`).
it('our own tokens come from the managed identity, are kept, and renewed where the connector refuses one', async () => {
  const { double, channel, outgoing, observed } = await createBot({ auth: 'on' });
  vi.stubEnv('IDENTITY_ENDPOINT', double.identity.IDENTITY_ENDPOINT);
  vi.stubEnv('IDENTITY_HEADER', double.identity.IDENTITY_HEADER);
  const deliver = (key: string) => channel.deliver(outgoing({ key }), 1);
  expect([await deliver('a'), await deliver('b')]).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
  const sent = double.calls().map(({ authorization }) => authorization);
  expect(sent).toEqual(['Bearer granted-1', 'Bearer granted-1']);
  expect(double.granted).toEqual(['https://api.botframework.example']);

  double.script({ status: 401 });
  expect(await deliver('c')).toEqual({ kind: 'unauthorized' });
  await channel.start?.();
  expect(observed.filter((line) => line.startsWith('["alarm"'))).toEqual([
    expect.stringMatching(/channel_out_of_order.*the connector refuses our token/),
  ]);
  expect(await deliver('c')).toEqual({ kind: 'delivered' });

  const content = Buffer.from('a picture');
  const url = double.keep('p1', content);
  const seen = await channel.fetchMedia?.({ conversation: CHAT, address: {} }, { url }, MEDIA_BOUNDS);
  expect(seen?.kind === 'fetched' && Buffer.concat(await seen.content.toArray())).toEqual(content);
  expect(double.calls('GET').at(-1)?.authorization).toMatch(/^Bearer granted-\d$/);
});

const GRANTED = { token_type: 'Bearer', expires_in: 3600, access_token: 'granted' };

it.each([
  ['SingleTenant', TENANT, TENANT],
  ['MultiTenant', undefined, 'botframework.com'],
] as const)(
  'a token of a %s bot comes by the client secret; until there is one, the reply waits',
  async (...row) => {
    const [type, tenant, directory] = row;
    const registration = { type, tenant, password: 'client-secret' };
    const about = { auth: 'on', login: 'microsoft', registration, watchMs: 5 } as const;
    const { double, channel, appId, outgoing } = await createBot(about);
    onTestFinished(() => nock.cleanAll());
    // The SDK goes to no other host without asking Microsoft about it.
    const signIn = (fits: (form: unknown) => boolean = () => true) =>
      nock('https://login.microsoftonline.com')
        .persist()
        .post(`/${directory}/oauth2/v2.0/token`, fits)
        .query(true);
    const deliver = () => channel.deliver(outgoing({ key: 'a' }), 1);
    signIn().reply(401, { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid secret' });
    await channel.start?.();
    const fault = expect.stringContaining('no token (invalid_client), so no reply is sent');
    expect([channel.faults?.(), await deliver()]).toEqual([[fault], { kind: 'unauthorized' }]);
    expect(double.calls()).toEqual([]);

    nock.cleanAll();
    const forms: unknown[] = [];
    signIn((form) => forms.push(form) > 0).reply(200, GRANTED);
    await expect.poll(() => channel.faults?.()).toEqual([]);
    for (const _ of [1, 2]) await deliver();
    expect(double.calls().map(({ authorization }) => authorization)).toEqual(Array(2).fill('Bearer granted'));
    const scope = expect.stringContaining('https://api.botframework.com/.default');
    const secret = { client_id: appId, client_secret: 'client-secret', scope };
    expect(forms).toMatchObject([{ grant_type: 'client_credentials', ...secret }]);
  },
);
