import { isIP } from 'node:net';
import { parseRedisUrl, type RedisAddress } from '../store/redis/address.ts';

/** A kind of value: `parse` gives undefined for a text that is none, `wants` says what one looks like. */
export type Kind<T> = { readonly wants: string; parse(written: string): T | undefined };

export function text(): Kind<string> {
  return { wants: 'a text', parse: (written) => written };
}

export function like(pattern: RegExp, wants: string): Kind<string> {
  return { wants, parse: (written) => (pattern.test(written) ? written : undefined) };
}

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return { wants: words.join(' or '), parse: (written) => words.find((word) => word === written) };
}

/** Several texts separated by commas. */
export function list(pattern: RegExp, wants: string): Kind<readonly string[]> {
  return {
    wants,
    parse(written) {
      const values = written.split(',').map((one) => one.trim());
      return values.every((one) => pattern.test(one)) ? values : undefined;
    },
  };
}

/** Exact names, no patterns: a suffix would trust whoever can have a name under it. */
export function hosts(): Kind<readonly string[]> {
  return list(
    /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i,
    'hosts without scheme and path, separated by commas',
  );
}

/** Who may say for whom a request was forwarded: addresses or ranges, or how many hops before us. */
export function proxies(): Kind<number | readonly string[]> {
  const hops = integer(1, 20);
  const addresses = list(/^(?:[\d.]+|[\da-f:]*:[\da-f:.]*)(?:\/\d{1,3})?$/i, '');
  return {
    wants: 'addresses or ranges such as 10.0.0.0/8, separated by commas, or a number of hops from 1 to 20',
    parse(written) {
      const count = hops.parse(written);
      if (count !== undefined) return count;
      const ranges = addresses.parse(written);
      return ranges?.every(isRange) ? ranges : undefined;
    },
  };
}

function isRange(written: string): boolean {
  const [address = '', bits] = written.split('/');
  const version = isIP(address);
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
}

export function integer(from: number, to: number): Kind<number> {
  return {
    wants: `a whole number from ${from} to ${to}`,
    parse(written) {
      const value = /^\d{1,9}$/.test(written) ? Number(written) : -1;
      return value >= from && value <= to ? value : undefined;
    },
  };
}

/** A base that paths are appended to, hence without a slash at its end. */
export function url(protocols: readonly string[]): Kind<string> {
  return {
    wants: `a URL beginning with ${protocols.map((one) => `${one}//`).join(' or ')}, without user, query and fragment`,
    parse(written) {
      const value = URL.parse(written);
      if (!value || !protocols.includes(value.protocol)) return undefined;
      if (value.username || value.password || value.search || value.hash) return undefined;
      return value.href.replace(/\/+$/, '');
    },
  };
}

export function redisUrl(): Kind<RedisAddress> {
  return {
    wants:
      'redis://host:port or rediss://host:port, several separated by commas, or redis+sentinel://host:port,…/master',
    parse: (written) => parseRedisUrl(written) ?? undefined,
  };
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** No longer than `gapHours` after the one before it, the first after 0, and no longer than `hours` in all. */
export function durations(gapHours: number, hours: number): Kind<readonly number[]> {
  return {
    wants: `at least two rising durations such as 5s,20s,1m, at most ${gapHours} h apart and the last at most ${hours} h`,
    parse(written) {
      const values = written.split(',').map(durationMs);
      const gaps = values.map((value, index) => value - (values[index - 1] ?? 0));
      const rising = gaps.every((gap) => gap > 0 && gap <= gapHours * UNIT_MS.h);
      return values.length >= 2 && rising && (values.at(-1) ?? 0) <= hours * UNIT_MS.h ? values : undefined;
    },
  };
}

function durationMs(written: string): number {
  const [, count, unit] = /^(\d{1,6})(ms|s|m|h)$/.exec(written.trim()) ?? [];
  return unit === 'ms' || unit === 's' || unit === 'm' || unit === 'h'
    ? Number(count) * UNIT_MS[unit]
    : Number.NaN;
}

export function key(): Kind<Buffer> {
  return {
    wants: 'base64 of 32 bytes (openssl rand -base64 32)',
    parse: (written) => (/^[A-Za-z0-9+/]{43}=?$/.test(written) ? Buffer.from(written, 'base64') : undefined),
  };
}

export function timeZone(): Kind<string> {
  return {
    wants: 'an IANA time zone such as Asia/Ho_Chi_Minh',
    parse(written) {
      try {
        return new Intl.DateTimeFormat('en', { timeZone: written }) && written;
      } catch {
        return undefined;
      }
    },
  };
}
