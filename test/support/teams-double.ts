import Fastify from 'fastify';
import { z } from 'zod';
import { TENANT, type TeamsActivity } from './teams-activities.ts';
import { createTokens, type TokenOptions } from './teams-tokens.ts';

export type TeamsDouble = Awaited<ReturnType<typeof startTeamsDouble>>;

type Body = Readonly<Record<string, unknown>>;
type Shown = Body & { readonly id: string };
/** `authorization`: another header than a valid token's; null: none at all. */
type Target = { readonly url: string; readonly appId: string; readonly authorization?: string | null };
export type Posted = { readonly status: number; readonly body: string };

/** `reset`: the call is carried out and the connection cut. `hang`: neither done nor answered. */
export type Fault =
  | 'reset'
  | 'hang'
  | { readonly status: number; readonly retryAfter?: number; readonly code?: string };

const bodySchema = z.record(z.string(), z.unknown());
const memberSchema = z.object({ member: z.string() });
const pathSchema = z.object({ conversation: z.string(), id: z.string().default('') });

/**
 * The Bot Framework service on 127.0.0.1: its keys and tokens, the Teams connector (activities, edits, members), Azure's
 * managed identity endpoint. Faults are scripted.
 */
export async function startTeamsDouble() {
  const calls: {
    readonly method: string;
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: Body;
  }[] = [];
  const faults: Fault[] = [];
  const granted: string[] = [];
  const members = new Map<string, Body>();
  const files = new Map<string, Uint8Array>();
  const chats = new Map<string, Shown[]>();
  let ids = 0;

  const app = Fastify({ forceCloseConnections: true });
  const connector = '/connector/v3/conversations/:conversation';
  app.addHook('preHandler', async (request, reply) => {
    if (!request.url.startsWith('/connector/')) return;
    const { method, url: path, headers, body } = request;
    const call = { method, path, authorization: headers.authorization, body: bodySchema.parse(body ?? {}) };
    calls.push(call);
    const fault = faults.shift();
    if (fault === 'hang') return reply.hijack();
    if (fault === 'reset') {
      request.raw.socket.destroy();
    } else if (fault) {
      if (fault.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter);
      if (fault.status < 400) reply.header('location', '/elsewhere');
      return reply
        .code(fault.status)
        .send({ error: { code: fault.code ?? 'Scripted', message: 'scripted' } });
    }
  });
  app.post(`${connector}/activities`, async ({ params, body }) => {
    const { conversation } = pathSchema.parse(params);
    const activity = bodySchema.parse(body);
    const id = `a${++ids}`;
    if (activity.type === 'message') {
      chats.set(conversation, [...(chats.get(conversation) ?? []), { ...activity, id }]);
    }
    return { id };
  });
  app.put(`${connector}/activities/:id`, async ({ params, body }, reply) => {
    const { conversation, id } = pathSchema.parse(params);
    const chat = chats.get(conversation) ?? [];
    if (!chat.some((one) => one.id === id))
      return reply.code(404).send({ error: { code: 'ActivityNotFound' } });
    const edited = { ...bodySchema.parse(body), id };
    chats.set(
      conversation,
      chat.map((one) => (one.id === id ? edited : one)),
    );
    return { id };
  });
  app.get(`${connector}/members/:member`, async ({ params }, reply) => {
    const member = members.get(memberSchema.parse(params).member);
    return member
      ? { tenantId: TENANT, userRole: 'user', ...member }
      : reply.code(404).send({ error: { code: 'MemberNotFoundInConversation' } });
  });

  app.get('/connector/v3/attachments/:id/views/original', async ({ params }, reply) => {
    const content = files.get(z.object({ id: z.string() }).parse(params).id);
    return content
      ? reply.type('image/png').send(Buffer.from(content))
      : reply.code(404).send({ error: { code: 'NotFound' } });
  });

  app.get('/openid', async () => ({ issuer, jwks_uri: `${url}/keys` }));
  app.get('/keys', async () => ({ keys: tokens.keys }));
  app.get('/identity', async ({ query }) => {
    const { resource } = z.object({ resource: z.string() }).parse(query);
    granted.push(resource);
    const expires = Math.floor(Date.now() / 1000) + 24 * 3600;
    return {
      access_token: `granted-${granted.length}`,
      expires_on: String(expires),
      token_type: 'Bearer',
      resource,
    };
  });

  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const issuer = `${url}/issuer`;
  const tokens = createTokens(issuer);
  const serviceUrl = `${url}/connector/`;
  const mint = (appId: string, options?: TokenOptions, service = serviceUrl) =>
    tokens.mint(appId, service, options);

  return {
    serviceUrl,
    host: new URL(url).host,
    /** The SDK's six settings. */
    endpoints: {
      ToBotFromChannelOpenIdMetadataUrl: `${url}/openid`,
      ToBotFromEmulatorOpenIdMetadataUrl: `${url}/openid`,
      ToBotFromChannelTokenIssuer: issuer,
      ToChannelFromBotLoginUrl: `${url}/login`,
      ToChannelFromBotOAuthScope: 'https://api.botframework.example',
      OAuthUrl: url,
    },
    identity: { IDENTITY_ENDPOINT: `${url}/identity`, IDENTITY_HEADER: 'double' },
    mint,
    /** Calls of the connector, oldest first. */
    calls: (method?: string) => calls.filter((call) => method === undefined || call.method === method),
    /** What a conversation shows now: edits are applied, typing is left out. */
    shown: (conversation: string) => chats.get(conversation) ?? [],
    /** The next calls of the connector end so, one after the other. */
    script: (...more: Fault[]) => void faults.push(...more),
    /** Profiles that `GET …/members` answers with: an ordinary member's of `TENANT`, but for what is said here. */
    members,
    /** Keeps a file; gives the address under which activities name it. */
    keep(name: string, content: Uint8Array): string {
      files.set(name, content);
      return `${serviceUrl}v3/attachments/${name}/views/original`;
    },
    granted,
    /** Posts an activity as the service does. */
    async post(activity: TeamsActivity, { url: target, appId, authorization }: Target): Promise<Posted> {
      const header = authorization === undefined ? `Bearer ${mint(appId)}` : authorization;
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(header !== null && { authorization: header }) },
        body: JSON.stringify({ serviceUrl, ...activity }),
      });
      return { status: response.status, body: await response.text() };
    },
    close: () => app.close(),
  };
}
