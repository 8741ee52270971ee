import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';

/** What a token says; everything can be overridden or, with `undefined`, left out. */
export type Claims = Readonly<Record<string, unknown>>;

export type TokenOptions = {
  readonly claims?: Claims | undefined;
  readonly header?: Claims | undefined;
  /** `other`: a key that nobody published; `hmac`: HS256 with the published key as the secret; `none`: no signature. */
  readonly sign?: 'own' | 'other' | 'hmac' | 'none' | undefined;
};

/** Made once: it takes a while. */
const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The keys of a Bot Framework service of our own, and what it signs with them. */
export function createTokens(issuer: string) {
  const kid = randomUUID();
  const base = { kid, use: 'sig', ...own.publicKey.export({ format: 'jwk' }) };
  // The second one is published for another channel only: endorsements count.
  const keys = [
    { ...base, endorsements: ['msteams'] },
    { ...base, kid: `${kid}-slack`, endorsements: ['slack'] },
  ];

  /** A token for the bot `appId`, for activities of `serviceUrl`. */
  function mint(appId: string, serviceUrl: string, options: TokenOptions = {}): string {
    const nowS = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, aud: appId, serviceurl: serviceUrl, nbf: nowS - 60, exp: nowS + 3600 };
    const { sign = 'own' } = options;
    const alg = sign === 'hmac' ? 'HS256' : sign === 'none' ? 'none' : 'RS256';
    const parts = [
      { alg, kid, typ: 'JWT', ...options.header },
      { ...usual, ...options.claims },
    ];
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${signed}.${signature(signed, sign)}`;
  }

  function signature(signed: string, sign: NonNullable<TokenOptions['sign']>): string {
    if (sign === 'none') return '';
    const pem = own.publicKey.export({ format: 'pem', type: 'spki' });
    if (sign === 'hmac') return createHmac('sha256', pem).update(signed).digest('base64url');
    const { privateKey } = sign === 'own' ? own : other;
    return createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url');
  }

  return { keys, kid, mint };
}
