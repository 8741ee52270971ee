/**
 * The double as a process of its own: `node test/support/teams-double-main.ts [port]`. Prints one line of JSON,
 * `{ "env", "serviceUrl", "control" }`, when it listens: `env` is what a bot's process needs to trust it. `control`:
 *
 * - `GET /calls?method=`, `GET /chats?conversation=`: what was called, what the conversation shows
 * - `POST /script {"faults": [...]}`, `POST /members {"id", "member"}`
 * - `POST /post {"activity", "url"}`: posts it with a valid token, answers `{ status, retryAfter, body }`
 */
import Fastify from 'fastify';
import { z } from 'zod';
import { TENANT } from './teams-activities.ts';
import { faultSchema, startTeamsDouble } from './teams-double.ts';

export const APP_ID = '00000000-0000-4000-8000-000000004242';
const record = z.record(z.string(), z.unknown());

const double = await startTeamsDouble(Number(process.argv[2] ?? 0));
const control = Fastify({ forceCloseConnections: true });

control.get('/calls', async ({ query }) => {
  return double.calls(z.object({ method: z.string().optional() }).parse(query).method);
});
control.get('/chats', async ({ query }) => {
  return double.shown(z.object({ conversation: z.string() }).parse(query).conversation);
});
control.post('/script', async ({ body }) => {
  double.script(...z.object({ faults: z.array(faultSchema) }).parse(body).faults);
  return {};
});
control.post('/members', async ({ body }) => {
  const { id, member } = z.object({ id: z.string(), member: record }).parse(body);
  double.members.set(id, member);
  return {};
});
control.post('/post', async ({ body }) => {
  const { activity, url } = z
    .object({ activity: z.looseObject({ type: z.string() }), url: z.string() })
    .parse(body);
  return double.post(activity, { url, appId: APP_ID });
});

const controlUrl = await control.listen({ port: 0, host: '127.0.0.1' });
const env = {
  MICROSOFT_APP_ID: APP_ID,
  MICROSOFT_APP_TYPE: 'UserAssignedMSI',
  MICROSOFT_APP_TENANT_ID: TENANT,
  TEAMS_SERVICE_HOSTS: double.host,
  ...double.endpoints,
  ...double.identity,
};
console.log(JSON.stringify({ env, serviceUrl: double.serviceUrl, control: controlUrl }));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => void Promise.all([double.close(), control.close()]));
}
