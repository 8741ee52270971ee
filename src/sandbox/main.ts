import closeWithGrace from 'close-with-grace';
import Fastify from 'fastify';
import { createSandbox } from './sandbox.ts';

/* `npm run sandbox`: the sandbox as a separate process. It answers at `/` and at `/sandbox`. */

const { HOST = '127.0.0.1', PORT = '3001' } = process.env;

const app = Fastify();
const sandbox = createSandbox();
await app.register(sandbox);
await app.register(sandbox, { prefix: '/sandbox' });
closeWithGrace({ delay: 5000 }, async ({ err }) => {
  if (err) console.error(err);
  await app.close();
});

console.log(`AntCRM sandbox: ${await app.listen({ host: HOST, port: Number(PORT) })}`);
