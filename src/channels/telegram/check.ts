import { z } from 'zod';
import type { Log } from '../../observability/log.ts';
import { type ApiError, botOf, failureIn, type TelegramApi } from './api.ts';
import {
  profileParts,
  type RegistrationOptions,
  type RegistrationPart,
  readWebhook,
  type WebhookInfo,
  webhookPart,
  webhookUrl,
} from './registration.ts';
import { ALLOWED_UPDATES } from './update.ts';

export type TelegramCheckOptions = RegistrationOptions & {
  readonly api: Pick<TelegramApi, 'callApi' | 'botInfo'>;
  /** For the operator's line. */
  readonly apiRoot: string;
  readonly mode: 'webhook' | 'polling';
  readonly log: Log;
  /** Why Telegram refused the last poll; undefined if it did not. */
  pollFault(): string | undefined;
};

/** Shortest time between two registrations: two bots may compete for one token. */
const AGAIN_MS = 10 * 60_000;
/** Telegram reports an old error forever. It counts as a fault for this long while updates wait. */
const STUCK_MS = 60 * 60_000;
/** The same while no update waits. */
const PASSED_MS = 60_000;

type Signalled = { readonly signal: AbortSignal };

/** Looks for faults between the bot and Telegram, and registers the bot. The next look tries again. */
export class TelegramCheck {
  readonly #options: TelegramCheckOptions;
  readonly #webhook: ReturnType<typeof webhookPart>;
  /** The parts of the profile that are not registered yet. */
  #unregistered: readonly RegistrationPart[];
  #isRegistered = false;
  #nextWebhookMs = 0;
  /** No registration before this time. */
  #notBeforeMs = 0;

  constructor(options: TelegramCheckOptions) {
    this.#options = options;
    this.#webhook = options.mode === 'webhook' ? webhookPart(options) : undefined;
    // A bot whose webhook was set by hand keeps its profile.
    this.#unregistered = options.mode === 'webhook' && !this.#webhook ? [] : profileParts(options);
  }

  /** Resolves to the faults, a line for the operator each. Never rejects. `signal` ends it soon. */
  async look(signal: AbortSignal): Promise<readonly string[]> {
    const { api, mode, apiRoot } = this.#options;
    try {
      const me = nameSchema.safeParse(await retryOnce(() => api.callApi('getMe', {}, { signal }))).data;
      if (me) api.botInfo = botOf(api.botInfo.id, me.username);
    } catch (error) {
      return meFaults(failureIn(error), new URL(apiRoot).host);
    }
    const faults = mode === 'polling' ? this.#pollFaults() : await this.#webhookFaults({ signal });
    // A fault is reported at once; menus can wait.
    if (faults.length === 0) await this.#registerProfile({ signal });
    return faults;
  }

  #pollFaults(): string[] {
    const why = this.#options.pollFault();
    return why === undefined ? [] : [`getUpdates fails (${why}): does another bot use this token?`];
  }

  async #webhookFaults(options: Signalled): Promise<readonly string[]> {
    const { api, publicUrl, log } = this.#options;
    const info = await retryOnce(() => readWebhook(api, options)).catch((error) => void failureIn(error));
    if (!info) return [];
    const error = lastError(info);
    const wrong = wrongIn(info, error, this.#webhook && publicUrl && webhookUrl(publicUrl));
    if (wrong.length === 0 && error !== undefined) {
      const where = 'look at PUBLIC_URL, its certificate and the proxy before it';
      return [`Telegram cannot hand updates on (${error}): ${where}`];
    }
    if (wrong.length === 0 || !this.#webhook || performance.now() < this.#nextWebhookMs) return wrong;
    const outcome = await this.#set(this.#webhook, options);
    if (outcome === 'later') return wrong;
    if (outcome !== 'set') return [`Telegram refuses the webhook (${outcome.message}): look at PUBLIC_URL`];
    log.info({}, 'the webhook was registered at Telegram');
    const isFirst = !this.#isRegistered;
    this.#isRegistered = true;
    if (isFirst) return [];
    // Another bot took the webhook, and may take it again: the fault stays until a look finds none.
    this.#nextWebhookMs = performance.now() + AGAIN_MS;
    return wrong;
  }

  async #registerProfile(options: Signalled): Promise<void> {
    for (const part of this.#unregistered) {
      const outcome = await this.#set(part, options);
      if (outcome === 'later') return;
      if (outcome !== 'set') {
        const refused = { call: part.name, why: outcome.message };
        this.#options.log.error(refused, 'Telegram refused a part of the registration');
      }
      this.#unregistered = this.#unregistered.slice(1);
    }
  }

  /** The error if Telegram refuses the part for good; `later` if another try may succeed. */
  async #set(part: RegistrationPart, options: Signalled) {
    if (performance.now() < this.#notBeforeMs) return 'later';
    try {
      await part.set(options);
      return 'set';
    } catch (error) {
      const failure = failureIn(error);
      if (isRefused(failure)) return failure;
      const { meaning } = failure;
      if ('afterMs' in meaning) this.#notBeforeMs = performance.now() + (meaning.afterMs ?? 0);
      return 'later';
    }
  }
}

/** Whether the same call will be refused again. */
export function isRefused({ meaning: { kind } }: ApiError): boolean {
  return kind === 'rejected' || kind === 'unreachable';
}

const nameSchema = z.object({ username: z.string() });

/** Repeats a failed call once: one lost packet raises no alarm. */
async function retryOnce<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const { kind } = failureIn(error).meaning;
    if (kind === 'undelivered' || kind === 'uncertain') return call();
    throw error;
  }
}

/** The fault that a failed `getMe` shows. */
function meFaults({ meaning: { kind }, message }: ApiError, host: string): string[] {
  switch (kind) {
    // Telegram is reachable and accepts our token.
    case 'throttled':
      return [];
    case 'unauthorized':
      return [
        `Telegram refuses the token (${message}): was it revoked at BotFather? ` +
          'Set TELEGRAM_BOT_TOKEN, restart',
      ];
    case 'undelivered':
    case 'uncertain':
      return [`Telegram does not answer at ${host} (${message}): look at the network and TELEGRAM_API_ROOT`];
    case 'unreachable':
    case 'rejected':
      return [`Telegram refuses getMe (${message}): is TELEGRAM_API_ROOT a Bot API server?`];
  }
}

/** The faults that a new registration may cure. Shows an address by its host: the path may be a secret. */
function wrongIn(info: WebhookInfo, error: string | undefined, wanted: string | undefined): string[] {
  const { url } = info;
  const faults: string[] = [];
  if (wanted !== undefined && url === '') {
    faults.push('no webhook is registered, so no message arrives: it is registered anew');
  } else if (wanted !== undefined && url !== wanted) {
    const host = URL.parse(url)?.host ?? 'another address';
    faults.push(`the webhook is registered at ${host}, not at ${wanted}: end the other bot with this token`);
  }
  // Telegram omits the list if the webhook brings the usual kinds.
  const { allowed_updates: asked = ALLOWED_UPDATES } = info;
  const missing = url === '' ? [] : ALLOWED_UPDATES.filter((kind) => !asked.includes(kind));
  if (missing.length > 0)
    faults.push(`the webhook does not bring ${missing.join(', ')}: npm run telegram -- set`);
  if (error?.includes('401')) {
    const cure = 'give every process the same TELEGRAM_WEBHOOK_SECRET';
    faults.push(`Telegram's updates carry another secret (${error}): ${cure}`);
  }
  return faults;
}

/** The last error of a delivery, unless it is old. */
function lastError({
  last_error_date,
  last_error_message,
  pending_update_count,
}: WebhookInfo): string | undefined {
  if (last_error_date === undefined) return undefined;
  const ageMs = Date.now() - last_error_date * 1000;
  const passedMs = pending_update_count > 0 ? STUCK_MS : PASSED_MS;
  return ageMs < passedMs ? (last_error_message ?? 'no reason given') : undefined;
}
