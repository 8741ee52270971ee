import { type CryptoKey, importJWK } from 'jose';
import { z } from 'zod';
import type { Transport } from '../../http/transport.ts';
import { type Runtime, systemRuntime, type Timer } from '../../runtime.ts';
import { parseJson } from '../platforms.ts';

/** A signing key of the Bot Framework service. `endorsements`: the channels that may use it; none: all. */
export type SigningKey = { readonly key: CryptoKey; readonly endorsements: readonly string[] };

/** The only algorithm of the service's keys. */
export const ALGORITHM = 'RS256';

export type SigningKeysOptions = {
  /** The address of the service's OpenID metadata, which names that of the keys. */
  readonly metadataUrl: string;
  readonly transport: Pick<Transport, 'exchange'>;
  readonly runtime?: KeysRuntime | undefined;
};

/** The clocks that keys are read by. */
export type KeysRuntime = Pick<Runtime, 'nowMs' | 'monotonicMs' | 'timer'>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Keys are read again after this time. */
const READ_EVERY_MS = DAY_MS;
/** Between two reads for unknown key ids, so that forged tokens cause no requests. */
const READ_AGAIN_MS = MINUTE_MS;
/** After a read that failed, the next one for a token; without tokens, twice as long each time. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
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

type ReadFailure = { readonly sinceMs: number; readonly times: number; readonly why: string };

/**
 * The keys that sign the service's tokens. A read that succeeds replaces all of them at once; one that fails
 * changes nothing.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #runtime: KeysRuntime;
  #keys: ReadonlyMap<string, SigningKey> = new Map();
  /** When the keys were read, and when a read last began; monotonic. */
  #readMs = Number.NEGATIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;
  /** The read under way: whether it succeeded. One read serves all who wait. */
  #reading: Promise<boolean> | undefined;
  /** The reads that failed since one succeeded. */
  #failed: ReadFailure | undefined;
  /** The next read after one that failed; for the tokens that wait, whether it succeeded. */
  #retry: Timer | undefined;
  #awaited: Promise<boolean> | undefined;
  #isClosed = false;

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
    return ageMs > READ_EVERY_MS || this.#failed ? 'old' : 'current';
  }

  /** Since when reads fail, epoch ms, and why the last one did; undefined: the last one succeeded. */
  get failure(): Pick<ReadFailure, 'sinceMs' | 'why'> | undefined {
    return this.#failed;
  }

  /**
   * The key with an id, read again if it is unknown. `unknown`: the service does not publish it.
   * `unavailable`: the service cannot be asked now. Never rejects.
   */
  async find(id: string): Promise<SigningKey | 'unknown' | 'unavailable'> {
    const known = this.#get(id);
    if (known) return known;
    const isRead = await (this.#reading ?? this.#readForToken());
    return this.#get(id) ?? (isRead ? 'unknown' : 'unavailable');
  }

  /** Reads the keys if a day has passed, or if the last read failed. Never rejects. */
  async refresh(): Promise<void> {
    if (this.state !== 'current') await this.#read();
  }

  /** No more reads by itself. */
  close(): void {
    this.#isClosed = true;
  }

  /** A token waits for the next read that may be made after one that failed. */
  #readForToken(): Promise<boolean> | false {
    const agoMs = this.#runtime.monotonicMs() - this.#triedMs;
    if (agoMs >= (this.#failed ? RETRY_MS : READ_AGAIN_MS)) return this.#read();
    if (!this.#failed || this.#isClosed) return false;
    this.#awaited ??= new Promise((resolve) => {
      this.#readIn(RETRY_MS - agoMs, resolve);
    });
    return this.#awaited;
  }

  #readIn(ms: number, done?: (isRead: boolean | Promise<boolean>) => void): void {
    this.#retry?.cancel();
    this.#retry = this.#runtime.timer(ms, () => {
      this.#awaited = undefined;
      const isRead = this.#failed && !this.#isClosed ? this.#read() : !this.#failed;
      done?.(isRead);
    });
  }

  #get(id: string): SigningKey | undefined {
    return this.state === 'none' ? undefined : this.#keys.get(id);
  }

  #read(): Promise<boolean> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<boolean> {
    const triedMs = this.#runtime.monotonicMs();
    this.#triedMs = triedMs;
    const keys = await this.#fetchAll();
    if (typeof keys === 'string') {
      const { sinceMs = this.#runtime.nowMs(), times = 0 } = this.#failed ?? {};
      this.#failed = { sinceMs, times: times + 1, why: keys };
      // A token that waits has its own time.
      if (!this.#isClosed && !this.#awaited) this.#readIn(Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** times));
      return false;
    }
    this.#failed = undefined;
    this.#keys = keys;
    this.#readMs = triedMs;
    return true;
  }

  /** All keys, or why there are none. */
  async #fetchAll(): Promise<ReadonlyMap<string, SigningKey> | string> {
    const { metadataUrl } = this.#options;
    const metadata = await this.#fetch(metadataUrl);
    if (typeof metadata === 'string') return metadata;
    const address = metadataSchema.safeParse(metadata.json).data?.jwks_uri;
    // Without https an attacker on the way could replace the keys, and sign tokens.
    if (address === undefined || (isSecure(metadataUrl) && !isSecure(address)))
      return 'the answer names no address of keys';
    const answer = await this.#fetch(address);
    if (typeof answer === 'string') return answer;
    const listed = keysSchema.safeParse(answer.json).data?.keys ?? [];
    const keys = new Map<string, SigningKey>();
    for (const one of listed) {
      const { kid, endorsements, ...jwk } = keySchema.safeParse(one).data ?? {};
      const key = kid === undefined ? undefined : await importJWK(jwk, ALGORITHM).catch(() => undefined);
      if (kid === undefined || !key || key instanceof Uint8Array) continue;
      keys.set(kid, { key, endorsements: endorsements ?? [] });
    }
    return keys.size === 0 ? 'the answer has no keys' : keys;
  }

  /** The JSON at an address (undefined: it is none), or why there is no answer. */
  async #fetch(address: string): Promise<{ readonly json: unknown } | string> {
    const { origin, pathname, search } = new URL(address);
    const call = { method: 'GET', origin, path: pathname + search, ...LIMITS } as const;
    const exchange = await this.#options.transport.exchange(call);
    if (exchange.kind !== 'answered') return 'there is no answer';
    if (exchange.status !== 200) return `the answer is ${exchange.status}`;
    return { json: parseJson(exchange.content.toString()) };
  }
}

const isSecure = (address: string): boolean => URL.parse(address)?.protocol === 'https:';
