/*
 * What the Bot Framework SDK costs by itself: a bare CloudAdapter that says back what it hears, authentication off, as a
 * process of its own. It says where it listens in the bot's words, and tells its use of the machine by the same names.
 */
import { CloudAdapter, ConfigurationBotFrameworkAuthentication, type Response } from 'botbuilder';
import Fastify from 'fastify';

const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({ MicrosoftAppId: '' }));
const app = Fastify();

app.post('/webhooks/teams', async (request, reply) => {
  let status = 500;
  const response: Response = {
    socket: request.raw.socket,
    status(code) {
      status = code;
      return response;
    },
    header: () => response,
    send: () => response,
    end: () => response,
  };
  const { method, headers, body } = request;
  await adapter.process({ method, headers, body: Object(body) }, response, async (context) => {
    await context.sendActivity(`echo: ${context.activity.text}`);
  });
  return reply.code(status).send();
});
app.get('/metrics', async () => {
  const { user, system } = process.cpuUsage();
  const lines = [
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ];
  return lines.join('\n');
});

const url = await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' });
console.log(`listening on ${url}`);
process.once('SIGTERM', () => void app.close());
