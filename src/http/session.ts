import { createHmac } from 'node:crypto';
import type { Caller, Visitor } from './guard.ts';
import type { People } from './people.ts';
import { isSecret } from './secret.ts';

/*
 * A browser's session is a cookie that is signed with the token of the sign-in. Nothing is stored. All
 * sessions of a token end when the token changes, or when the person's line is removed from STAFF_PEOPLE.
 * Each process remembers the sessions that signed out at it, so that their open streams end, and a copy of
 * the cookie is worth nothing there.
 */

const COOKIE = 'staff_session';
/** A working day. */
const SESSION_S = 12 * 60 * 60;

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions that signed out are remembered until they would have ended; more would be an attack. */
const MAX_SIGNED_OUT = 10_000;

/** Sessions of staff who sign in with `token`, or with the token of a person. */
export function createSessions(token: string, people?: Pick<People, 'nameOf' | 'tokenOf'>) {
  const sign = (untilMs: string, { person }: Visitor, key: string): string =>
    createHmac('sha256', key)
      .update(person === undefined ? `session ${untilMs}` : `session ${untilMs} ${person}`)
      .digest('hex');

  /** The `Set-Cookie` header. `Strict`: the browser does not send it for requests of other sites. */
  const cookie = (value: string, maxAgeS: number, isHttps: boolean): string =>
    `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;

  /** The signatures of sessions that signed out, with the time at which each would have ended. */
  const signedOut = new Map<string, number>();
  let latestMs = 0;

  const visitorOf = ({ headers }: Caller) => {
    const { untilMs, signature, person } = parseCookie(headers);
    const key = person === undefined ? token : people?.tokenOf(person);
    const { 'sec-fetch-site': site = 'same-origin' } = headers;
    const isOwn = site === 'same-origin' || site === 'none';
    if (key === undefined || !isOwn || Number(untilMs) <= Date.now()) return undefined;
    return isSecret(signature, sign(untilMs, { person }, key)) ? { person } : undefined;
  };

  return {
    /** Returns the cookie; undefined for a wrong token. */
    begin(shown: string, isHttps: boolean): string | undefined {
      const person = people?.nameOf(shown);
      if (person === undefined && !isSecret(shown, token)) return undefined;
      // No two sessions are equal, or signing out of one would end the other.
      latestMs = Math.max(Date.now() + SESSION_S * 1000, latestMs + 1);
      const untilMs = String(latestMs);
      const parts = [untilMs, sign(untilMs, { person }, shown)];
      if (person !== undefined) parts.push(Buffer.from(person).toString('base64url'));
      return cookie(parts.join('.'), SESSION_S, isHttps);
    },

    /** Ends the caller's session. Returns the cookie that replaces it; undefined if it has none. */
    end(caller: Caller, isHttps: boolean): string | undefined {
      if (visitorOf(caller) === undefined) return undefined;
      const { signature, untilMs } = parseCookie(caller.headers);
      for (const [other, endMs] of signedOut) if (endMs <= Date.now()) signedOut.delete(other);
      if (signedOut.size < MAX_SIGNED_OUT) signedOut.set(signature, Number(untilMs));
      return cookie('', 0, isHttps);
    },

    /**
     * The visitor of a valid session. Undefined: no session, or the request comes from another site's page.
     */
    visitor: (caller: Caller): Visitor | undefined =>
      signedOut.has(parseCookie(caller.headers).signature) ? undefined : visitorOf(caller),
  };
}

/** The parts of the cookie; empty ones if there is none. */
function parseCookie(headers: Caller['headers']) {
  const [, untilMs = '', signature = '', name] =
    /(?:^|; )staff_session=(\d+)\.(\w+)(?:\.([\w-]+))?(?:;|$)/.exec(headers.cookie ?? '') ?? [];
  const person = name === undefined ? undefined : Buffer.from(name, 'base64url').toString();
  return { untilMs, signature, person };
}
