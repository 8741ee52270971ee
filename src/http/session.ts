import { createHmac } from 'node:crypto';
import { type Caller, isSecret } from './guard.ts';

/*
 * Staff sign in to the console with the token; the browser then has a session, a cookie. The token signs it,
 * and no process stores it: each can check it, and another `STAFF_TOKEN` ends it.
 */

const COOKIE = 'staff_session';
/** A working day. */
const SESSION_S = 12 * 60 * 60;

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions of staff who sign in with `token`. `nowMs` is epoch ms. */
export function createSessions(token: string, nowMs: () => number) {
  const sign = (untilMs: string): string =>
    createHmac('sha256', token).update(`session ${untilMs}`).digest('hex');

  /** The `Set-Cookie` header. `Strict`: no other site's page makes a browser send it. */
  const cookie = (value: string, maxAgeS: number, isHttps: boolean): string =>
    `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;

  return {
    /** Returns the cookie; undefined for a wrong token. */
    begin(shown: string, isHttps: boolean): string | undefined {
      if (!isSecret(shown, token)) return undefined;
      const untilMs = String(nowMs() + SESSION_S * 1000);
      return cookie(`${untilMs}.${sign(untilMs)}`, SESSION_S, isHttps);
    },

    end: (isHttps: boolean): string => cookie('', 0, isHttps),

    /** Whether a request has a session, and comes from no other site's page. */
    has({ headers }: Caller): boolean {
      const [, untilMs = '', signature = ''] =
        /(?:^|; )staff_session=(\d+)\.(\w+)(?:;|$)/.exec(headers.cookie ?? '') ?? [];
      const { 'sec-fetch-site': site = 'same-origin' } = headers;
      const isOwn = site === 'same-origin' || site === 'none';
      return isOwn && Number(untilMs) > nowMs() && isSecret(signature, sign(untilMs));
    },
  };
}
