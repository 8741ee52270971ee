import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { z } from 'zod';
import { TENANT, type TeamsActivity } from './teams-activities.ts';

type Body = Readonly<Record<string, unknown>>;
type Shown = Body & { readonly id: string };
/** `authorization`: another header than a valid token's; null: none at all. */
type Target = { readonly url: string; readonly appId: string; readonly authorization?: string | null };

/** `reset`: the call is carried out and the connection cut. `hang`: neither done nor answered. */
export type Fault =
  | 'reset'
  | 'hang'
  | { readonly status: number; readonly retryAfter?: number; readonly code?: string };

/** What becomes of a read of the keys. */
export type KeyFault = 'cut' | 'html' | 'empty';

/** What a token says and how it is signed; `undefined` leaves a claim out. */
export type TokenOptions = {
  readonly claims?: Body | undefined;
  readonly header?: Body | undefined;
  readonly sign?: 'own' | keyof typeof SIGNATURES | undefined;
};

const createKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const own = createKey();
const other = createKey();

const SIGNATURES = {
  other: (signed: string) => createSign('RSA-SHA256').update(signed).sign(other.privateKey, 'base64url'),
  /** HS256 with the published key as the secret. */
  hmac(signed: string) {
    const pem = own.publicKey.export({ format: 'pem', type: 'spki' });
    return createHmac('sha256', pem).update(signed).digest('base64url');
  },
  none: () => '',
};
const ALGORITHMS = { own: 'RS256', other: 'RS256', hmac: 'HS256', none: 'none' };

const bodySchema = z.record(z.string(), z.unknown());
const pathSchema = z.object({ conversation: z.string().default(''), id: z.string().default('') });
const resourceSchema = z.object({ resource: z.string() });

/**
 * The Bot Framework service on 127.0.0.1: its keys and tokens, the Teams connector (activities, edits,
 * members, files), Azure's managed identity endpoint. Faults are scripted.
 */
export async function startTeamsDouble() {
  const calls: { method: string; path: string; authorization: string | undefined; body: Body }[] = [];
  const faults: Fault[] = [];
  const granted: string[] = [];
  /** Profiles by the user's id: an ordinary member's of `TENANT`, but for what is said here. */
  const members = new Map<string, Body>();
  const files = new Map<string, Uint8Array>();
  /** Messages by conversation and id; edits are applied. */
  const messages = new Map<string, Shown>();
  let ids = 0;

  const app = Fastify({ forceCloseConnections: true });
  app.addHook('preHandler', async ({ method, url: path, headers, body, raw }, reply) => {
    if (!path.startsWith('/connector/')) return;
    calls.push({ method, path, authorization: headers.authorization, body: bodySchema.parse(body ?? {}) });
    const fault = faults.shift();
    if (fault === 'hang') return reply.hijack();
    if (fault === 'reset') raw.socket.destroy();
    // No trace of ours leaves for a platform.
    else if (headers.traceparent) return reply.code(400).send();
    else if (fault) {
      const { status, retryAfter, code = 'Scripted' } = fault;
      if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
      if (status < 400) reply.header('location', '/elsewhere');
      return reply.code(status).send({ error: { code } });
    }
  });
  const chat = '/connector/v3/conversations/:conversation';
  const missing = { error: { code: 'NotFound' } };
  app.post(`${chat}/activities`, async ({ params, body }) => {
    const id = `a${++ids}`;
    const activity = { ...bodySchema.parse(body), id };
    const { conversation } = pathSchema.parse(params);
    if (!('type' in activity && activity.type === 'typing')) messages.set(`${conversation}/${id}`, activity);
    return { id };
  });
  app.put(`${chat}/activities/:id`, async ({ params, body }, reply) => {
    const { conversation, id } = pathSchema.parse(params);
    const at = `${conversation}/${id}`;
    if (!messages.has(at)) return reply.code(404).send(missing);
    messages.set(at, { ...bodySchema.parse(body), id });
    return { id };
  });
  app.get(`${chat}/members/:id`, async ({ params }, reply) => {
    const member = members.get(pathSchema.parse(params).id);
    return member ? { tenantId: TENANT, userRole: 'user', ...member } : reply.code(404).send(missing);
  });
  app.get('/connector/v3/attachments/:id/views/original', async ({ params }, reply) => {
    const content = files.get(pathSchema.parse(params).id);
    return content ? reply.send(Buffer.from(content)) : reply.code(404).send(missing);
  });

  let kid = randomUUID();
  let pair = own;
  let reads = 0;
  let away: KeyFault | undefined;
  app.get('/keys', async (_request, reply) => {
    reads += 1;
    if (away === 'cut') return reply.hijack().raw.socket?.destroy();
    if (away === 'html') return reply.type('text/html').send('<html>gateway</html>');
    if (away === 'empty') return { keys: [] };
    const key = { kid, use: 'sig', ...pair.publicKey.export({ format: 'jwk' }) };
    // The second one is published for another channel only: endorsements count.
    const foreign = { ...key, kid: `${kid}-slack`, endorsements: ['slack'] };
    return { keys: [{ ...key, endorsements: ['msteams'] }, foreign, { kty: 'EC', kid: 'unread' }] };
  });
  app.get('/openid', async () => ({ issuer: `${url}/issuer`, jwks_uri: `${url}/keys` }));
  app.get('/identity', async ({ query }) => {
    const { resource } = resourceSchema.parse(query);
    const token = { access_token: `granted-${granted.push(resource)}`, token_type: 'Bearer', resource };
    return { ...token, expires_on: String(Math.floor(Date.now() / 1000) + 24 * 3600) };
  });

  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const serviceUrl = `${url}/connector/`;

  /** A token for the bot, and for activities of the connector. */
  function mint(appId: string, { claims, header, sign = 'own' }: TokenOptions = {}): string {
    const nowS = Math.floor(Date.now() / 1000);
    const claimsOfUs = {
      iss: `${url}/issuer`,
      aud: appId,
      serviceurl: serviceUrl,
      nbf: nowS - 60,
      exp: nowS + 3600,
    };
    const parts = [
      { alg: ALGORITHMS[sign], kid, typ: 'JWT', ...header },
      { ...claimsOfUs, ...claims },
    ];
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature =
      sign === 'own'
        ? createSign('RSA-SHA256').update(signed).sign(pair.privateKey, 'base64url')
        : SIGNATURES[sign](signed);
    return `${signed}.${signature}`;
  }

  return {
    serviceUrl,
    host: new URL(url).host,
    /** The SDK's six settings. */
    endpoints: {
      ToBotFromChannelOpenIdMetadataUrl: `${url}/openid`,
      ToBotFromEmulatorOpenIdMetadataUrl: `${url}/openid`,
      ToBotFromChannelTokenIssuer: `${url}/issuer`,
      ToChannelFromBotLoginUrl: `${url}/login`,
      ToChannelFromBotOAuthScope: 'https://api.botframework.example',
      OAuthUrl: url,
    },
    identity: { IDENTITY_ENDPOINT: `${url}/identity`, IDENTITY_HEADER: 'double' },
    mint,
    /** How often the keys were read. */
    keyReads: () => reads,
    /** All reads of the keys end so from now on; undefined: they succeed. */
    breakKeys(fault?: KeyFault): void {
      away = fault;
    },
    /** From now on tokens are signed with a new key, which alone is published. */
    changeKey(): void {
      pair = createKey();
      kid = randomUUID();
    },
    members,
    granted,
    calls: (method?: string) => calls.filter((call) => method === undefined || call.method === method),
    shown: (conversation: string) =>
      [...messages].flatMap(([at, message]) => (at.startsWith(`${conversation}/`) ? [message] : [])),
    /** The next calls of the connector end so, one after the other. */
    script: (...more: Fault[]) => void faults.push(...more),
    /** Keeps a file; gives the address under which activities name it. */
    keep(name: string, content: Uint8Array): string {
      files.set(name, content);
      return `${serviceUrl}v3/attachments/${name}/views/original`;
    },
    async post(activity: TeamsActivity, { url: target, appId, authorization }: Target) {
      const header = authorization === undefined ? `Bearer ${mint(appId)}` : authorization;
      const headers = {
        'content-type': 'application/json',
        ...(header !== null && { authorization: header }),
      };
      const body = JSON.stringify({ serviceUrl, ...activity });
      const response = await fetch(target, { method: 'POST', headers, body });
      return { status: response.status, body: await response.text() };
    },
    close: () => app.close(),
  };
}
