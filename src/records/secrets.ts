import { z } from 'zod';
import { StoreUnavailable } from '../store/port.ts';
import { type RecordKind, type RecordParts, type Transition, VersionedRecords } from './versioned-records.ts';

/**
 * Keeps secrets in the store, sealed, such as a token that a platform exchanges for a new one and then
 * refuses. They belong to channels, each of which has its own names (`secrets` of its parts,
 * src/channels/channel.ts); the engine itself keeps none.
 */
export type Secrets = {
  /** Undefined: none is kept. Rejects with `StoreUnavailable`. */
  read(name: string): Promise<string | undefined>;
  /**
   * Replaces a secret under a lease, so that one process at a time uses it up. `renew` gets the secret, and
   * resolves to the next one within `LEASE_MS`; that one is stored before `replace` resolves.
   *
   * - `isInDoubt`: an earlier `renew` did not end, so the secret may have been used already.
   * - `busy`: another `renew` is at work. Read the secret again later.
   *
   * Rejects as `renew` does, and nothing changes; or with `StoreUnavailable`: if that happens after `renew`,
   * the next secret is lost.
   *
   * @example
   * const kept = await secrets.replace('token', async (token) => exchange(token ?? first));
   * if (kept !== 'busy') use(kept.secret);
   */
  replace(name: string, renew: Renew): Promise<'busy' | { readonly secret: string }>;
};

type Renew = (secret: string | undefined, isInDoubt: boolean) => Promise<string>;

/** Longer than a call to a platform. After it another process may try. */
export const LEASE_MS = 60_000;
/** A channel that renews nothing for this long must begin again. */
const TTL_MS = 400 * 24 * 60 * 60_000;
/** How often, and how far apart, the next secret is tried to be stored. */
const STORE_TRIES = 6;
const STORE_AGAIN_MS = 500;

const secretSchema = z.looseObject({
  secret: z.string().nullable(),
  lease: z.looseObject({ owner: z.string(), untilMs: z.number() }).nullable(),
});
type SecretRecord = { readonly secret: string | null; readonly lease: SecretLease | null };
const NO_SECRET: SecretRecord = { secret: null, lease: null };
type SecretLease = { readonly owner: string; readonly untilMs: number };

const SECRET: RecordKind<SecretRecord> = {
  kind: 's',
  ttlMs: TTL_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => secretSchema.parse(JSON.parse(plain.toString())),
};

type Taken = { readonly secret: string | null; readonly isInDoubt: boolean };

/** Takes the lease of a renewal. Null: another one is at work. */
function takeSecret(owner: string): Transition<SecretRecord, Taken | null> {
  return (before, nowMs) => {
    const { secret, lease } = before ?? NO_SECRET;
    if (lease && lease.untilMs > nowMs && lease.owner !== owner) return { record: before, answer: null };
    const taken = { secret, lease: { owner, untilMs: nowMs + LEASE_MS } };
    return { record: taken, answer: { secret, isInDoubt: lease !== null && lease.owner !== owner } };
  };
}

/** `next` replaces `used`, unless another process did that. */
type SecretChange = { readonly used: string | null; readonly next: string };

/** Ends the lease of a renewal, and stores what it got. Answers what is kept. */
function endRenewal(owner: string, change?: SecretChange): Transition<SecretRecord, string | null> {
  return (before) => {
    const { secret, lease } = before ?? NO_SECRET;
    const isOurs = lease?.owner === owner;
    const kept = change && (isOurs || secret === change.used) ? change.next : secret;
    if (kept === secret && !isOurs) return { record: before, answer: kept };
    return { record: { secret: kept, lease: isOurs ? null : lease }, answer: kept };
  };
}

/** The secrets of one owner (a channel), whose names begin with `prefix`. */
export function createSecrets(prefix: string, parts: RecordParts): Secrets {
  const { random, sleep } = parts.runtime;
  const records = new VersionedRecords(SECRET, parts);
  const nameOf = (name: string) => `${prefix}.${name}`;

  async function end(name: string, owner: string, change?: SecretChange) {
    const { answer } = await records.update(nameOf(name), endRenewal(owner, change), { durable: true });
    return answer;
  }

  async function store(name: string, owner: string, change: SecretChange) {
    for (let tries = 1; ; tries++) {
      try {
        return await end(name, owner, change);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || tries === STORE_TRIES) throw error;
        await sleep(STORE_AGAIN_MS * tries);
      }
    }
  }

  return {
    async read(name) {
      const { record } = await records.read(nameOf(name));
      return record?.secret ?? undefined;
    },
    async replace(name, renew) {
      const owner = `${random()} ${random()}`;
      const { answer: taken } = await records.update(nameOf(name), takeSecret(owner));
      if (taken === null) return 'busy';
      let next: string;
      try {
        next = await renew(taken.secret ?? undefined, taken.isInDoubt);
      } catch (error) {
        await end(name, owner);
        throw error;
      }
      const kept = await store(name, owner, { used: taken.secret, next });
      return { secret: kept ?? next };
    },
  };
}
