import { createHmac } from 'node:crypto';
import { type Caller, isSecret } from './guard.ts';

/* A browser's session is a cookie signed with the token: nothing is stored, a new token ends all of them. */

const COOKIE = 'staff_session';
/** A working day. */
const SESSION_S = 12 * 60 * 60;

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions of staff who sign in with `token`. */
export function createSessions(token: string) {
  const sign = (untilMs: string): string =>
    createHmac('sha256', token).update(`session ${untilMs}`).digest('hex');

  /** The `Set-Cookie` header. `Strict`: the browser does not send it for requests of other sites. */
  const cookie = (value: string, maxAgeS: number, isHttps: boolean): string =>
    `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;

  return {
    /** Returns the cookie; undefined for a wrong token. */
    begin(shown: string, isHttps: boolean): string | undefined {
      if (!isSecret(shown, token)) return undefined;
      const untilMs = String(Date.now() + SESSION_S * 1000);
      return cookie(`${untilMs}.${sign(untilMs)}`, SESSION_S, isHttps);
    },

    end: (isHttps: boolean): string => cookie('', 0, isHttps),

    /** Whether a request has a valid session and does not come from another site's page. */
    has({ headers }: Caller): boolean {
      const [, untilMs = '', signature = ''] =
        /(?:^|; )staff_session=(\d+)\.(\w+)(?:;|$)/.exec(headers.cookie ?? '') ?? [];
      const { 'sec-fetch-site': site = 'same-origin' } = headers;
      const isOwn = site === 'same-origin' || site === 'none';
      return isOwn && Number(untilMs) > Date.now() && isSecret(signature, sign(untilMs));
    },
  };
}
