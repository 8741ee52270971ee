import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../src/app.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { startBot } from '../support/app.ts';
import { serve } from '../support/server.ts';

const messageSchema = z.strictObject({
  phone: z.string(),
  code: z.string().regex(/^\d{6}$/),
  text: z.string(),
  locale: z.enum(['vi', 'en']),
  id: z.string(),
});
export type Texted = z.infer<typeof messageSchema>;

/** How the gateway answers: a status, `hangs`, or a connection that is cut once the request has come. */
export type GatewayAnswer = number | 'cut' | 'hangs';

/** A gateway that sends texts to phones, and what it was asked to send. */
export async function startGateway() {
  const texted: Texted[] = [];
  const tokens: (string | undefined)[] = [];
  const gateway = { answer: 200 as GatewayAnswer };
  const server = await serve(async (request, response) => {
    texted.push(messageSchema.parse(JSON.parse((await buffer(request)).toString())));
    tokens.push(request.headers.authorization);
    const { answer } = gateway;
    if (answer === 'cut') return void request.socket.destroy();
    if (answer === 'hangs') return void (await once(request.socket, 'close'));
    response.writeHead(answer).end('{}');
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return Object.assign(gateway, { url: `${server.url}/otp?shop=1`, texted, tokens });
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

type Sent = { text?: string; choice?: string; id?: string; trace?: true; locale?: 'vi' | 'en' };

/** A bot whose customers come from a channel that proves nothing, over the sandbox. */
export async function startShop(
  gateway: Gateway,
  env: Readonly<Record<string, string>> = {},
  options: AppOptions = {},
) {
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const given = { PROOF_GATEWAY_URL: gateway.url, PROOF_GATEWAY_TOKEN: 'gateway-token-7f3a9c', ...env };
  const bot = await startBot(given, { log, ...options });
  onTestFinished(() => bot.stop());
  const client = createClient(bot.url, env.STAFF_TOKEN);
  /** What a customer of Teams without an e-mail sends, and the replies. */
  async function send(conversation: string, message: Sent) {
    const answer = await client.send({ conversation, as: 'teams', locale: 'vi', ...message });
    if (answer.status === 'refused') throw new Error(answer.problem.title);
    return answer;
  }
  async function keys(conversation: string, message: Sent) {
    const { replies } = await send(conversation, message);
    return replies.map(({ key }) => key);
  }
  /** Until the phone has a code. */
  async function ask(conversation: string, phone: string) {
    await send(conversation, { text: 'xem điểm' });
    await send(conversation, { choice: 'code:send' });
    return keys(conversation, { text: phone });
  }
  return { ...bot, lines, send, keys, ask };
}

/** A code that is surely wrong. */
export const wrongFor = (code = '000000'): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
