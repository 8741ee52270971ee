import { type CryptoKey, importJWK } from 'jose';
import { z } from 'zod';
import type { Transport } from '../../http/transport.ts';
import { type Runtime, systemRuntime } from '../../runtime.ts';
import { parseJson } from '../platforms.ts';

/** A signing key of the Bot Framework service. `endorsements`: the channels that may use it; none: all. */
export type SigningKey = { readonly key: CryptoKey; readonly endorsements: readonly string[] };

/** The only algorithm of the service's keys. */
export const ALGORITHM = 'RS256';

export type SigningKeysOptions = {
  /** The address of the service's OpenID metadata, which names that of the keys. */
  readonly metadataUrl: string;
  readonly transport: Pick<Transport, 'exchange'>;
  readonly runtime?: Pick<Runtime, 'monotonicMs'> | undefined;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Keys are read again after this time. */
const READ_EVERY_MS = DAY_MS;
/** Between two reads for unknown key ids, so that forged tokens cause no requests. */
const READ_AGAIN_MS = MINUTE_MS;
/** Keys that cannot be read again serve for so long. */
const KEPT_MS = 7 * DAY_MS;
/** Two requests with these limits take less time than the service waits for our answer. */
const LIMITS = { timeoutMs: 4_000, maxBytes: 2 * 1024 * 1024 };

const metadataSchema = z.object({ jwks_uri: z.url({ protocol: /^https?$/ }) });
const keySchema = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1),
  n: z.string(),
  e: z.string(),
  endorsements: z.array(z.string()).default([]),
});
const keysSchema = z.object({ keys: z.array(z.unknown()).max(1000) });

/**
 * The keys that sign the service's tokens. A read that succeeds replaces all of them at once; one that fails
 * changes nothing.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #runtime: Pick<Runtime, 'monotonicMs'>;
  #keys: ReadonlyMap<string, SigningKey> = new Map();
  /** When the keys were read, and when a read last began; monotonic. */
  #readMs = Number.NEGATIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;
  /** The read under way: whether it succeeded. One read serves all who wait. */
  #reading: Promise<boolean> | undefined;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? systemRuntime;
  }

  /**
   * `current`: read within a day. `old`: they still serve, but cannot be read again. `none`: no token can be
   * verified.
   */
  get state(): 'current' | 'old' | 'none' {
    const ageMs = this.#runtime.monotonicMs() - this.#readMs;
    if (ageMs > KEPT_MS) return 'none';
    return ageMs > READ_EVERY_MS || this.#readMs < this.#triedMs ? 'old' : 'current';
  }

  /**
   * The key with an id, read again if it is unknown. `unknown`: the service does not publish it.
   * `unavailable`: the service cannot be asked now. Never rejects.
   */
  async find(id: string): Promise<SigningKey | 'unknown' | 'unavailable'> {
    const known = this.#get(id);
    if (known) return known;
    const mayRead = this.#runtime.monotonicMs() - this.#triedMs >= READ_AGAIN_MS;
    const isRead = await (this.#reading ?? (mayRead && this.#read()));
    return this.#get(id) ?? (isRead ? 'unknown' : 'unavailable');
  }

  /** Reads the keys if a day has passed, or if the last read failed. Never rejects. */
  async refresh(): Promise<void> {
    if (this.state !== 'current') await this.#read();
  }

  #get(id: string): SigningKey | undefined {
    return this.state === 'none' ? undefined : this.#keys.get(id);
  }

  #read(): Promise<boolean> {
    this.#reading ??= this.#fetchAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #fetchAll(): Promise<boolean> {
    const triedMs = this.#runtime.monotonicMs();
    this.#triedMs = triedMs;
    const { metadataUrl } = this.#options;
    const address = metadataSchema.safeParse(await this.#fetch(metadataUrl)).data?.jwks_uri;
    // Without https an attacker on the way could replace the keys, and sign tokens.
    if (address === undefined || (isSecure(metadataUrl) && !isSecure(address))) return false;
    const listed = keysSchema.safeParse(await this.#fetch(address)).data?.keys ?? [];
    const keys = new Map<string, SigningKey>();
    for (const one of listed) {
      const { kid, endorsements, ...jwk } = keySchema.safeParse(one).data ?? {};
      const key = kid === undefined ? undefined : await importJWK(jwk, ALGORITHM).catch(() => undefined);
      if (kid === undefined || !key || key instanceof Uint8Array) continue;
      keys.set(kid, { key, endorsements: endorsements ?? [] });
    }
    if (keys.size === 0) return false;
    this.#keys = keys;
    this.#readMs = triedMs;
    return true;
  }

  /** The JSON at an address; undefined: the address has none now. */
  async #fetch(address: string): Promise<unknown> {
    const { origin, pathname, search } = new URL(address);
    const call = { method: 'GET', origin, path: pathname + search, ...LIMITS } as const;
    const exchange = await this.#options.transport.exchange(call);
    if (exchange.kind !== 'answered' || exchange.status !== 200) return undefined;
    return parseJson(exchange.content.toString());
  }
}

const isSecure = (address: string): boolean => URL.parse(address)?.protocol === 'https:';
