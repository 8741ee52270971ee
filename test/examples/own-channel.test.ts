import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { EventSource } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Member, webChat } from '../../examples/own-channel/web-chat.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { OPEN_GUARD } from '../channels/harness.ts';
import { type Customer, channelContract } from '../contract/channel.ts';
import { says } from '../e2e/world.ts';
import { startGateway } from '../proof/shop.ts';
import { startBot } from '../support/app.ts';
import { startProcess } from '../support/processes.ts';

const MEMBER = { id: 'garnacho', name: 'Garnacho', email: 'garnacho@gmail.com' };
const nobody = async () => undefined;
const NO_TICKETS = {
  list: async () => ({ tickets: [], total: 0 }),
  find: async () => null,
  conversationOf: async () => null,
  file: async () => 'unknown' as const,
  follow: async () => () => {},
  search: async () => ({ tickets: [], searched: 0, total: 0 }),
  unclear: async () => [],
  media: async () => null,
  send: async () => 'unknown' as const,
  takes: () => [],
};

channelContract({
  name: 'the channel of examples/own-channel',
  abilities: ['proof', 'strangers'],
  create: async (parts) => {
    const opened = await webChat(({ headers }) => (headers.cookie === 'nobody' ? undefined : MEMBER)).open(
      undefined,
      {
        ...parts,
        limit: nobody,
        drawQr: nobody,
        guard: OPEN_GUARD,
        tickets: NO_TICKETS,
        secrets: { read: nobody, replace: async () => 'busy' as const },
        sandboxed: true,
        handover: false,
        channels: [],
        commands: [],
        answers: [],
      },
    );
    if ('off' in opened) throw new Error(opened.off);

    function listening(url: string): Customer {
      const member = openFor(url, 'vi-VN,vi;q=0.9');
      const send = async (message: Readonly<Record<string, unknown>>) => void (await member.send(message));
      return {
        text: (text, id) => send({ text, ...(id !== undefined && { id }) }),
        unreadable: () => send({ picture: 'x' }),
        buttons: () =>
          member.shown
            .flatMap(({ choices }) => choices)
            .map(({ data, typed }) => ({ data, press: () => send({ text: typed }) })),
        sees: (text) => member.shown.some((reply) => reply.text.includes(text)),
        shown: () => member.shown.map(({ text }) => text),
        async stranger() {
          const headers = { 'content-type': 'application/json', cookie: 'nobody' };
          const body = JSON.stringify({ id: 'x', text: 'x' });
          return (await fetch(`${url}/chat/messages`, { method: 'POST', headers, body })).status;
        },
      };
    }
    return { channel: opened, listening };
  },
});

async function startShop(whoIs: Parameters<typeof webChat>[0] = () => MEMBER) {
  const bot = await startBot({}, { channels: [webChat(whoIs)] });
  onTestFinished(() => bot.stop());
  return bot;
}

const eventSchema = z.object({
  seq: z.int(),
  text: z.string(),
  choices: z.array(z.object({ typed: z.string(), data: z.string() })),
  turn: z.string().optional(),
  last: z.boolean(),
});
type Shown = z.infer<typeof eventSchema>;

/** A member of the site before the page, in a language of their browser. */
function openFor(url: string, language: string) {
  const shown: Shown[] = [];
  const news = new EventTarget();
  const source = new EventSource(`${url}/chat/events`);
  onTestFinished(() => source.close());
  source.addEventListener('message', ({ data }) => {
    shown.push(eventSchema.parse(JSON.parse(String(data))));
    news.dispatchEvent(new Event('news'));
  });
  const ofTurn = (id: string) => shown.filter(({ turn }) => turn === id);
  return {
    shown,
    /** Sends what the page would; resolves to the replies, once the last one is shown. */
    async send(message: Readonly<Record<string, unknown>>): Promise<readonly Shown[]> {
      const { id = randomUUID(), ...content } = message;
      const response = await fetch(`${url}/chat/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-language': language },
        body: JSON.stringify({ id, ...content }),
      });
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
      while (!ofTurn(String(id)).some(({ last }) => last)) await once(news, 'news');
      return ofTurn(String(id));
    },
    close: () => source.close(),
  };
}

describe('a bot with a channel of its own', () => {
  it('takes a number for what was seen, and confirms a redemption by its code alone', async () => {
    const { url } = await startShop();
    const member = openFor(url, 'en-GB');
    const [menu] = await member.send({ text: 'menu' });
    const [summary] = await member.send({ text: 'redeem DAUMAY01' });
    const code = summary?.choices.find(({ data }) => data.startsWith('confirm:'))?.typed ?? '';
    expect(summary?.text).toMatch(new RegExp(`^${code}: Confirm`, 'm'));
    for (const text of ['yes', 'ok', 'confirm', code === '1000' ? '1001' : '1000']) {
      const replies = await member.send({ text });
      expect(replies.some((reply) => says(reply.text, 'redeem.done'))).toBe(false);
    }
    // The first entry of a list that was shown before the summary.
    const [old] = await member.send({ text: '1', seen: menu?.seq });
    expect(old?.text).not.toBe(summary?.text);
    const [done] = await member.send({ text: code });
    expect(done?.text).toMatch(/^Gift redeemed/);
  });

  it('serves its page, refuses strangers and what it cannot read, and is listed among the channels', async () => {
    let member: Member | undefined;
    const { url } = await startShop(() => member);
    const page = await fetch(`${url}/chat`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    async function post(body: string, type = 'application/json') {
      const request = { method: 'POST', headers: { 'content-type': type }, body };
      return (await fetch(`${url}/chat/messages`, request)).status;
    }
    const message = '{"id":"1","text":"hi"}';
    expect([(await fetch(`${url}/chat/events`)).status, await post(message)]).toEqual([401, 401]);
    member = MEMBER;
    expect([await post('{"text":"hi"}'), await post(message, 'text/plain')]).toEqual([400, 400]);
    expect(await (await fetch(`${url}/console`)).text()).toContain('value="web" data-proof="profile"');
    const profile = { email: MEMBER.email };
    const imitated = { conversation: 'qa', text: 'points', as: 'web', profile };
    expect(await createClient(url).send(imitated)).toMatchObject({ status: 'done' });
  });
});

it('knows a guest by a cookie of its own, who proves a phone by a code, and then sees the points', async () => {
  const gateway = await startGateway();
  const bot = await startBot({ PROOF_GATEWAY_URL: gateway.url }, { channels: [webChat(() => undefined)] });
  onTestFinished(() => bot.stop());
  const [cookie = ''] = (await fetch(`${bot.url}/chat`)).headers.get('set-cookie')?.split(';') ?? [];
  const headers = { cookie, 'content-type': 'application/json', 'accept-language': 'en' };
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const events = await fetch(`${bot.url}/chat/events`, { headers, signal: ended.signal });
  const shown = events.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = shown?.getReader();

  /** The replies to a text. */
  async function hears(text: string): Promise<readonly Shown[]> {
    const body = JSON.stringify({ id: randomUUID(), text });
    const { status } = await fetch(`${bot.url}/chat/messages`, { method: 'POST', headers, body });
    expect(status).toBe(202);
    const replies: Shown[] = [];
    while (!replies.at(-1)?.last) {
      replies.push(eventSchema.parse(JSON.parse((await reader?.read())?.value?.data ?? '')));
    }
    return replies;
  }

  expect((await hears('points'))[0]?.choices[0]?.data).toMatch(/^code:send/);
  expect(says((await hears('1'))[0]?.text ?? '', 'identity.codePhone')).toBe(true);
  expect(says((await hears('0867123456'))[0]?.text ?? '', 'identity.codeSent')).toBe(true);
  const replies = await hears(gateway.texted[0]?.code ?? '');
  expect(replies.some(({ text }) => says(text, 'points.balance'))).toBe(true);
  const forged = { ...headers, cookie: cookie.replace(/=.{4}/, '=AAAA') };
  const body = JSON.stringify({ id: 'x', text: 'x' });
  const refused = await fetch(`${bot.url}/chat/messages`, { method: 'POST', headers: forged, body });
  expect(refused.status).toBe(401);
});

it('runs: `node examples/own-channel/main.ts`', async () => {
  const bot = await startProcess('examples/own-channel/main.ts');
  onTestFinished(() => void bot.kill());
  const [, url = ''] = await bot.line(/^Web chat: (http:.*)\/chat$/);
  const member = openFor(url, 'en');
  const [welcome] = await member.send({ opened: true });
  expect(welcome?.text).not.toBe('');
  member.close();
  expect(await bot.stop()).toEqual({ code: 0, signal: null });
});
