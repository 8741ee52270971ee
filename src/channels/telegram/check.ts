import { z } from 'zod';
import { pause } from '../watch.ts';
import type { Answer, Client, Failure } from './client.ts';
import { missingKinds, type Registration, readWebhook, type WebhookInfo } from './registration.ts';

export type CheckOptions = {
  readonly client: Pick<Client, 'call'>;
  /** For the operator: where Telegram should be. */
  readonly apiRoot: string;
  readonly mode: 'webhook' | 'polling';
  /** Where the webhook should be; undefined: wherever it was set by hand, or updates come another way. */
  readonly webhookUrl: string | undefined;
  readonly registration: Pick<Registration, 'again' | 'idle'>;
  /** Why the last poll failed, undefined where it did not. */
  pollFault(): string | undefined;
  /** Told the bot's name each time Telegram says it. */
  onName(username: string): void;
};

const CALL_MS = 5_000;
/** At a start, the webhook is looked at once it is registered, or after this. */
const REGISTRATION_MS = 5_000;
/**
 * Telegram remembers an error forever. One with updates waiting behind it counts for this long, ms; others count as
 * passed.
 */
const STUCK_MS = 60 * 60_000;
const PASSED_MS = 60_000;

/** Looks for what keeps the bot and Telegram from working together; for `createWatch`. */
export function createCheck(options: CheckOptions): (signal: AbortSignal) => Promise<readonly string[]> {
  const { client, mode, webhookUrl, registration, pollFault, onName } = options;
  const { host } = new URL(options.apiRoot);

  return async (signal) => {
    const bounds = { signal, timeoutMs: CALL_MS };
    const me = await twice(() => client.call('getMe', {}, bounds));
    if (!me.ok) return [FAULTS[me.kind](me.why, host)].filter((fault) => fault !== '');
    const username = nameSchema.safeParse(me.result).data?.username;
    if (username !== undefined) onName(username);
    if (mode === 'polling') {
      const fault = pollFault();
      return fault === undefined ? [] : [`getUpdates fails (${fault}): does another bot use this token?`];
    }
    await Promise.race([registration.idle(), pause(REGISTRATION_MS, signal)]);
    const info = readWebhook(await twice(() => client.call('getWebhookInfo', {}, bounds)));
    if (!info) return [];
    const error = lastError(info);
    const wrong = wrongIn(info, error, webhookUrl);
    if (wrong.length > 0) registration.again();
    if (wrong.length > 0 || error === undefined) return wrong;
    return [
      `Telegram cannot hand updates on (${error}): look at PUBLIC_URL, its certificate and the proxy before it`,
    ];
  };
}

const nameSchema = z.object({ username: z.string() });

/** A call that went wrong is made once more: one lost packet is no alarm. */
async function twice(call: () => Promise<Answer>): Promise<Answer> {
  const first = await call();
  const lost = !first.ok && (first.kind === 'undelivered' || first.kind === 'uncertain');
  return lost ? call() : first;
}

type Fault = (why: string, host: string) => string;
const isAway: Fault = (why, host) =>
  `Telegram does not answer at ${host} (${why}): look at the network and TELEGRAM_API_ROOT`;
const isOther: Fault = (why) => `Telegram refuses getMe (${why}): is TELEGRAM_API_ROOT a Bot API server?`;

/** What it says of Telegram that `getMe` fails so; '': it is there, and accepts our token. */
const FAULTS: Readonly<Record<Failure['kind'], Fault>> = {
  throttled: () => '',
  unauthorized: (why) =>
    `Telegram refuses the token (${why}): was it revoked at BotFather? Set TELEGRAM_BOT_TOKEN, restart`,
  undelivered: isAway,
  uncertain: isAway,
  unreachable: isOther,
  rejected: isOther,
};

/** What registering anew may cure. Addresses are shown by their host alone: others may keep a secret in the path. */
function wrongIn(info: WebhookInfo, error: string | undefined, wanted: string | undefined): string[] {
  const { url } = info;
  const faults: string[] = [];
  if (wanted !== undefined && url === '') {
    faults.push('no webhook is registered, so no message arrives: it is registered anew');
  } else if (wanted !== undefined && url !== wanted) {
    const host = URL.parse(url)?.host ?? 'another address';
    faults.push(`the webhook is registered at ${host}, not at ${wanted}: end the other bot with this token`);
  }
  const missing = missingKinds(info).join(', ');
  if (missing) faults.push(`the webhook does not bring ${missing}: npm run telegram -- set`);
  if (error?.includes('401')) {
    faults.push(
      `Telegram's updates carry another secret (${error}): give every process the same TELEGRAM_WEBHOOK_SECRET`,
    );
  }
  return faults;
}

/** The last error of a delivery, unless it has passed. */
function lastError(info: WebhookInfo): string | undefined {
  if (info.last_error_date === undefined) return undefined;
  const ageMs = Date.now() - info.last_error_date * 1000;
  const passedMs = info.pending_update_count > 0 ? STUCK_MS : PASSED_MS;
  return ageMs < passedMs ? (info.last_error_message ?? 'no reason given') : undefined;
}
