/**
 * The double as a process of its own: `node test/support/telegram-double-main.ts [port]`. Prints one line of JSON,
 * `{ "url", "token", "control" }`, when it listens. `control` serves what the object has in-process:
 *
 * - `GET /calls?method=`, `GET /chats/<id>`: what was called, what the chat shows
 * - `POST /script {"method", "faults": [...]}`, `POST /updates <update>` (for polling)
 * - `POST /webhook {"update", "target"?: {"url", "secret"}}`: posts it, answers `{ status, retryAfter, body }`
 */
import Fastify from 'fastify';
import { z } from 'zod';
import { faultSchema, startTelegramDouble } from './telegram-double.ts';

const updateSchema = z.looseObject({ update_id: z.int() });
const scriptSchema = z.object({ method: z.string(), faults: z.array(faultSchema) });
const postSchema = z.object({
  update: updateSchema,
  target: z.object({ url: z.string(), secret: z.string() }).optional(),
});

const double = await startTelegramDouble({ port: Number(process.argv[2] ?? 0) });
const control = Fastify({ forceCloseConnections: true });

control.get('/calls', async ({ query }) => {
  return double.calls(z.object({ method: z.string().optional() }).parse(query).method);
});
control.get('/chats/:id', async ({ params }) => {
  const { id } = z.object({ id: z.coerce.number() }).parse(params);
  return { shown: double.shown(id), keyboard: double.keyboard(id) };
});
control.post('/script', async ({ body }) => {
  const { method, faults } = scriptSchema.parse(body);
  double.script(method, ...faults);
  return {};
});
control.post('/updates', async ({ body }) => {
  double.push(updateSchema.parse(body));
  return {};
});
control.post('/webhook', async ({ body }) => {
  const { update, target } = postSchema.parse(body);
  return double.post(update, target);
});

const controlUrl = await control.listen({ port: 0, host: '127.0.0.1' });
console.log(JSON.stringify({ url: double.url, token: double.token, control: controlUrl }));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => void Promise.all([double.close(), control.close()]));
}
