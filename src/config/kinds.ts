import { isIP } from 'node:net';
import { z } from 'zod';
import { parseRedisUrl, type RedisAddress } from '../store/redis/address.ts';

/** A schema from a written value to a `T`; its description says what such a value looks like, completing "wants …". */
export type Kind<T> = z.ZodType<T, string>;

export const text = z.string().describe('a text');

export function like(pattern: RegExp, wants: string) {
  return z.string().regex(pattern).describe(wants);
}

export const bearerToken = like(
  /^[!-~]{16,}$/,
  'at least 16 visible ASCII characters (openssl rand -hex 32)',
);

export function oneOf<const T extends string>(...words: readonly T[]) {
  return z.enum(words).describe(words.join(' or '));
}

/** Several values separated by commas. */
const parts = z.string().transform((written) => written.split(',').map((one) => one.trim()));

/** Several texts separated by commas. */
export function list(pattern: RegExp, wants: string) {
  return parts
    .pipe(z.array(z.string().regex(pattern)))
    .readonly()
    .describe(wants);
}

/** Exact names, no patterns: a suffix would trust everybody who can have a name under it. */
export const hosts = list(
  /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i,
  'hosts without scheme and path, separated by commas',
);

/** Strict in what it takes: a coerced text alone could also be blank, `3e3` or `0x1F`. */
export function integer(from: number, to: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .pipe(z.coerce.number<string>().min(from).max(to))
    .describe(`a whole number from ${from} to ${to}`);
}

const range = z
  .string()
  .regex(/^[\da-f.:]+(\/\d{1,3})?$/i)
  .refine((written) => {
    const [address = '', bits] = written.split('/');
    const version = isIP(address);
    return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
  });

/** Who may say for whom a request was forwarded: addresses or ranges, or how many hops before us. */
export const proxies = z
  .union([integer(1, 20), parts.pipe(z.array(range)).readonly()])
  .describe('addresses or ranges such as 10.0.0.0/8, separated by commas, or a number of hops from 1 to 20');

/** A base that paths are appended to, hence without a slash at its end. */
export function url(...protocols: readonly string[]) {
  const beginnings = protocols.map((one) => `${one}://`).join(' or ');
  return z
    .url({ protocol: new RegExp(`^(${protocols.join('|')})$`) })
    .transform((written) => new URL(written))
    .refine(({ username, password, search, hash }) => !(username || password || search || hash))
    .transform(({ href }) => href.replace(/\/+$/, ''))
    .describe(`a URL beginning with ${beginnings}, without user, query and fragment`);
}

export const redisUrl = z
  .string()
  .transform((written, context): RedisAddress => {
    const address = parseRedisUrl(written);
    if (address !== null) return address;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  })
  .describe(
    'redis://host:port or rediss://host:port, several separated by commas, or redis+sentinel://host:port,…/master',
  );

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `20s` -> 20000. */
const durationMs = z
  .string()
  .transform((written) => /^(?<count>\d{1,6})(?<unit>\D+)$/.exec(written)?.groups)
  .pipe(z.object({ count: z.coerce.number<string>(), unit: z.enum(['ms', 's', 'm', 'h']) }))
  .transform(({ count, unit }) => count * UNIT_MS[unit]);

/** No longer than `gapHours` after the one before it, the first after 0, and no longer than `hours` in all. */
export function durations(gapHours: number, hours: number) {
  return parts
    .pipe(z.array(durationMs).min(2))
    .readonly()
    .refine((values) => {
      const gaps = values.map((value, index) => value - (values[index - 1] ?? 0));
      const rising = gaps.every((gap) => gap > 0 && gap <= gapHours * UNIT_MS.h);
      return rising && (values.at(-1) ?? 0) <= hours * UNIT_MS.h;
    })
    .describe(
      `at least two rising durations such as 5s,20s,1m, at most ${gapHours} h apart and the last at most ${hours} h`,
    );
}

export const key = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=?$/)
  .transform((written) => Buffer.from(written, 'base64'))
  .describe('base64 of 32 bytes (openssl rand -base64 32)');

export const timeZone = z
  .string()
  .refine((written) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: written }));
    } catch {
      return false;
    }
  })
  .describe('an IANA time zone such as Asia/Ho_Chi_Minh');
