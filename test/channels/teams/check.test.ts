import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import nock from 'nock';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { TrustedHosts } from '../../../src/channels/teams/address.ts';
import {
  type Cloud,
  PUBLIC_CLOUD,
  type Registration,
  SdkCloud,
} from '../../../src/channels/teams/authentication.ts';
import { createTeamsCheck } from '../../../src/channels/teams/check.ts';
import { Connector } from '../../../src/channels/teams/connector.ts';
import { answerByNock } from '../../support/nock.ts';
import { recordingObserve } from '../../support/observe.ts';
import { startBot } from '../../support/processes.ts';
import { closedPort, serve } from '../../support/server.ts';
import { TENANT } from '../../support/teams-activities.ts';

answerByNock();

const REGISTRATION: Registration = {
  appId: randomUUID(),
  type: 'SingleTenant',
  tenant: TENANT,
  password: 'x',
};

/** The service's keys as it publishes them, and a connector, on one server; a test replaces what answers. */
async function startService(answering: { listener: RequestListener }) {
  const server = await serve((request, response) => answering.listener(request, response));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server.url;
}

const publishes =
  (url: () => string): RequestListener =>
  (request, response) => {
    const keys = request.url === '/keys' ? { keys: [{ kid: '1' }] } : { jwks_uri: `${url()}/keys` };
    response.end(JSON.stringify(keys));
  };
const fails: RequestListener = (_request, response) => response.writeHead(503).end('{}');
const refuses: RequestListener = (_request, response) => response.writeHead(401).end('{}');

/** A look at that service by a bot whose tokens are in order unless told otherwise. */
function looking(
  url: string,
  options: { cloud?: Pick<Cloud, 'token'>; serviceHosts?: readonly string[] } = {},
) {
  const { cloud = { token: async () => 'token' }, serviceHosts = [] } = options;
  const connector = new Connector({ cloud, hosts: new TrustedHosts([], true) });
  onTestFinished(() => connector.close());
  const metadata = { ToBotFromChannelOpenIdMetadataUrl: `${url}/openid` };
  const endpoints = { ...PUBLIC_CLOUD, ToBotFromEmulatorOpenIdMetadataUrl: '', OAuthUrl: '', ...metadata };
  const registration = { ...REGISTRATION, endpoints };
  const check = createTeamsCheck({ cloud, connector, registration, serviceHosts });
  const send = () =>
    connector.call(`${url}/`, { method: 'POST', path: 'v3/conversations/a/activities', body: {} });
  return { check: () => check(new AbortController().signal), send };
}

/** A service where all is well. */
async function startWell() {
  const answering = { listener: fails };
  const url = await startService(answering);
  const well = publishes(() => url);
  answering.listener = well;
  return { answering, url, well };
}

it.each<[string, RequestListener]>([
  ['cannot be fetched', fails],
  ['are none', (_request, response) => response.end('{"keys":[],"jwks_uri":"http://127.0.0.1:1/"}')],
  ['are no JSON', (_request, response) => response.end('<html>')],
])('signing keys that %s are a fault until they are there', async (_how, broken) => {
  const { answering, url, well } = await startWell();
  const { check } = looking(url);
  expect(await check()).toEqual([]);
  answering.listener = broken;
  expect(await check()).toEqual([expect.stringContaining('signing keys')]);
  answering.listener = well;
  expect(await check()).toEqual([]);
});

it('a connector out of reach is a fault, by its name; one that answers anything at all is none', async () => {
  const { url } = await startWell();
  const away = new URL(await closedPort()).host;
  const { check } = looking(url, { serviceHosts: [new URL(url).host, away] });
  expect(await check()).toEqual([expect.stringContaining(`the connector ${away} cannot be reached`)]);
});

it('a connector that refuses our token is a fault until it takes a call again', async () => {
  const { answering, url, well } = await startWell();
  const { check, send } = looking(url);
  answering.listener = refuses;
  await send();
  answering.listener = well;
  expect(await check()).toEqual([expect.stringContaining('the connector refuses our token')]);
  await send();
  expect(await check()).toEqual([]);
});

it('a wrong secret is told from a login service out of reach, and each is gone once it is cured', async () => {
  const { url } = await startWell();
  const cloud = new SdkCloud(REGISTRATION, recordingObserve().observe.log);
  const { check } = looking(url, { cloud });
  onTestFinished(() => nock.cleanAll());
  const login = () => nock('https://login.microsoftonline.com').post(/.*/).query(true);

  login().reply(401, { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret' });
  expect(await check()).toEqual([expect.stringContaining('client secret')]);
  login().replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  expect(await check()).toEqual([expect.stringContaining('gives no token')]);
  login().reply(200, { token_type: 'Bearer', expires_in: 3600, access_token: 'token' });
  expect(await check()).toEqual([]);
});

it('shows in readiness, the greeting, one alarm and the metric, with what to do; and the bot is ready', async () => {
  const away = new URL(await closedPort()).host;
  const bot = await startBot({ TEAMS_AUTH: 'off', TEAMS_SERVICE_HOSTS: away });
  onTestFinished(async () => void (await bot.stop()));
  await bot.line(/OUT OF ORDER: teams: the connector .* cannot be reached/);
  const ready = await fetch(`${bot.url}/health/ready`);
  expect(ready.status).toBe(200);
  const { dependencies } = z
    .object({ dependencies: z.object({ teams: z.unknown() }) })
    .parse(await ready.json());
  expect(dependencies.teams).toEqual({
    status: 'degraded',
    faults: [expect.stringContaining('TEAMS_SERVICE_HOSTS')],
  });
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(metrics).toContain('bot_channel_out_of_order{channel="teams"} 1');
  const alarms = () => bot.lines.filter((line) => line.includes('"alarm":"channel_out_of_order"'));
  await expect.poll(alarms).toHaveLength(1);
});
