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

  return async (signal) => {
    const limits = { signal, timeoutMs: CALL_MS };
    const me = await twice(() => client.call('getMe', {}, limits));
    if (!me.ok) return faultsOf(me, options.apiRoot);
    const username = nameSchema.safeParse(me.result).data?.username;
    if (username !== undefined) onName(username);
    if (mode === 'polling') {
      const fault = pollFault();
      return fault === undefined ? [] : [`getUpdates fails (${fault}): does another bot use this token?`];
    }
    await Promise.race([registration.idle(), pause(REGISTRATION_MS, signal)]);
    const info = readWebhook(await twice(() => client.call('getWebhookInfo', {}, limits)));
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

function faultsOf({ kind, why }: Failure, apiRoot: string): readonly string[] {
  switch (kind) {
    // It is there, and accepts our token.
    case 'delivered':
    case 'throttled':
      return [];
    case 'unauthorized':
      return [
        `Telegram refuses the token (${why}): was it revoked at BotFather? Set TELEGRAM_BOT_TOKEN, restart`,
      ];
    case 'undelivered':
    case 'uncertain': {
      const { host } = new URL(apiRoot);
      return [`Telegram does not answer at ${host} (${why}): look at the network and TELEGRAM_API_ROOT`];
    }
    case 'unreachable':
    case 'rejected':
      return [`Telegram refuses getMe (${why}): is TELEGRAM_API_ROOT a Bot API server?`];
  }
}

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
  const missing = missingKinds(info);
  if (missing.length > 0)
    faults.push(`the webhook does not bring ${missing.join(', ')}: npm run telegram -- set`);
  if (error?.includes('401')) {
    faults.push(
      `Telegram's updates carry another secret (${error}): give every process the same TELEGRAM_WEBHOOK_SECRET`,
    );
  }
  return faults;
}

/** The last error of a delivery, unless it has passed. */
function lastError({
  last_error_date: at,
  last_error_message: what,
  pending_update_count: waiting,
}: WebhookInfo) {
  if (at === undefined) return undefined;
  const ageMs = Date.now() - at * 1000;
  return ageMs < (waiting > 0 ? STUCK_MS : PASSED_MS) ? (what ?? 'no reason given') : undefined;
}
