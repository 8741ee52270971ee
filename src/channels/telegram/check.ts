import { z } from 'zod';
import type { MenuCommand } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { Log } from '../../observability/log.ts';
import { pause } from '../watch.ts';
import { ALLOWED_UPDATES } from './address.ts';
import type { Answer, CallOptions, Client, Failure, Methods } from './client.ts';

/* What Telegram must know of the bot, and what keeps the two from working together. */

export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum: accepting takes milliseconds, and back-pressure is ours (docs/how-it-works.md, "A message"). */
const MAX_CONNECTIONS = 100;

export type RegistrationOptions = {
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** The language shown to clients in any other language than ours. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /** The commands of the menu, in its order. */
  readonly commands: readonly MenuCommand[];
};

/** A part of what Telegram must know of the bot. Setting it again changes nothing. */
type Part = { readonly name: string; set(bounds?: CallOptions): Promise<Answer> };
/** A part that Telegram shows as it has it. */
type ShownPart = Part & { isSet(bounds: CallOptions): Promise<boolean> };

/** Everything Telegram must know of the bot: where to send updates, the menu and the descriptions in each language. */
export function partsOf(client: Pick<Client, 'call'>, options: RegistrationOptions) {
  const { publicUrl, secret, words, defaultLocale } = options;

  function part<M extends keyof Methods>(name: M, payload: Methods[M]): Part {
    return { name, set: (bounds) => client.call(name, payload, bounds) };
  }

  /** What clients in a language are shown; in any other than ours, where none is named. */
  function profileParts(locale: Locale, language: { readonly language_code?: Locale } = {}): ShownPart[] {
    const line = (key: string) => words.line({ key }, locale);
    const commands = options.commands.map(({ name, written }) => ({
      command: written[locale],
      description: line(`telegram.command.${name}`),
    }));
    const long = { description: line('telegram.description') };
    const short = { short_description: line('telegram.shortDescription') };
    /** Telegram answers with the fields that were set, in their order. */
    const shows =
      (method: 'getMyCommands' | 'getMyDescription' | 'getMyShortDescription', wanted: unknown) =>
      async (bounds: CallOptions): Promise<boolean> => {
        const answer = await client.call(method, language, bounds);
        return answer.ok && JSON.stringify(answer.result) === JSON.stringify(wanted);
      };
    return [
      { ...part('setMyCommands', { commands, ...language }), isSet: shows('getMyCommands', commands) },
      { ...part('setMyDescription', { ...long, ...language }), isSet: shows('getMyDescription', long) },
      {
        ...part('setMyShortDescription', { ...short, ...language }),
        isSet: shows('getMyShortDescription', short),
      },
    ];
  }

  const hook = { allowed_updates: ALLOWED_UPDATES, max_connections: MAX_CONNECTIONS };
  return {
    webhook:
      publicUrl !== undefined && secret !== undefined
        ? part('setWebhook', { url: webhookUrl(publicUrl), secret_token: secret, ...hook })
        : undefined,
    profile: [
      ...profileParts(defaultLocale),
      ...LOCALES.flatMap((locale) => profileParts(locale, { language_code: locale })),
    ],
  };
}

/** Where Telegram sends the updates of a bot at this public base. */
function webhookUrl(publicUrl: string): string {
  return publicUrl.replace(/(?<!\/)\/+$/, '') + ROUTE;
}

/** Of the webhook's state, what an operator needs; never more, so that no new field can carry a secret. */
const webhookSchema = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  max_connections: z.int().optional(),
  allowed_updates: z.array(z.string()).optional(),
  last_error_date: z.int().optional(),
  last_error_message: z.string().optional(),
});
type WebhookInfo = z.infer<typeof webhookSchema>;

/** The answer of `getWebhookInfo`; undefined where there is none, or none that can be read. */
export function readWebhook(answer: Answer): WebhookInfo | undefined {
  return answer.ok ? webhookSchema.safeParse(answer.result).data : undefined;
}

export type CheckOptions = RegistrationOptions & {
  readonly client: Pick<Client, 'call'>;
  /** For the operator: where Telegram should be. */
  readonly apiRoot: string;
  readonly mode: 'webhook' | 'polling';
  /** Processes that start together register at different moments within this time, ms. */
  readonly spreadMs: number;
  readonly log: Log;
  /** Why the last poll failed, undefined where it did not. */
  pollFault(): string | undefined;
  /** Told the bot's name each time Telegram says it. */
  onName(username: string): void;
};

const CALL_MS = 5_000;
/** Two bots that want one token, or one address with two secrets, take turns no faster. */
const AGAIN_MS = 10 * 60_000;
/**
 * Telegram remembers an error forever. One with updates waiting behind it counts for this long, ms; others count as
 * passed.
 */
const STUCK_MS = 60 * 60_000;
const PASSED_MS = 60_000;

/**
 * Looks for what keeps the bot and Telegram from working together, and tells Telegram what it does not have yet; what did
 * not come through is told again by the next look. For `createWatch`.
 */
export function createCheck(options: CheckOptions): (signal: AbortSignal) => Promise<readonly string[]> {
  const { client, mode, publicUrl, log, pollFault, onName, spreadMs } = options;
  const { host } = new URL(options.apiRoot);
  const { webhook, profile } = partsOf(client, options);
  const wanted = mode === 'webhook' && publicUrl !== undefined ? webhookUrl(publicUrl) : undefined;
  // A bot whose webhook was set by hand tells of itself what it was told by hand.
  let untold = mode === 'webhook' && wanted === undefined ? [] : profile;
  let spread: Promise<void> | undefined;
  let isRegistered = false;
  let againMs = 0;
  /** Telegram wants no such call before. */
  let notBeforeMs = 0;

  /** Undefined: too early. */
  async function tell(part: Part, bounds: Bounds): Promise<Answer | undefined> {
    spread ??= pause(Math.random() * spreadMs, bounds.signal);
    await spread;
    if (performance.now() < notBeforeMs) return undefined;
    const answer = await part.set({ signal: bounds.signal });
    if (!answer.ok && 'afterMs' in answer) notBeforeMs = performance.now() + (answer.afterMs ?? 0);
    return answer;
  }

  async function webhookFaults(bounds: Bounds): Promise<readonly string[]> {
    const info = readWebhook(await twice(() => client.call('getWebhookInfo', {}, bounds)));
    if (!info) return [];
    const error = lastError(info);
    const wrong = wrongIn(info, error, wanted);
    if (wrong.length === 0 && error !== undefined) {
      return [
        `Telegram cannot hand updates on (${error}): look at PUBLIC_URL, its certificate and the proxy before it`,
      ];
    }
    const isTurn = performance.now() >= againMs;
    const answer = wrong.length > 0 && wanted && webhook && isTurn ? await tell(webhook, bounds) : undefined;
    if (answer && isRefused(answer)) {
      return [`Telegram refuses the webhook (${answer.why}): look at PUBLIC_URL`];
    }
    if (!answer?.ok) return wrong;
    log.info({}, 'the webhook was registered at Telegram');
    const isFirst = !isRegistered;
    isRegistered = true;
    if (isFirst) return [];
    // Somebody took it away, and may again: the fault stands until a look finds none.
    againMs = performance.now() + AGAIN_MS;
    return wrong;
  }

  async function tellProfile(bounds: Bounds): Promise<void> {
    for (let [part] = untold; part && !bounds.signal.aborted; [part] = untold) {
      if (!(await part.isSet(bounds))) {
        const answer = await tell(part, bounds);
        if (answer && isRefused(answer)) {
          log.error({ call: part.name, why: answer.why }, 'Telegram refused a part of the registration');
        } else if (!answer?.ok) return;
      }
      untold = untold.slice(1);
    }
  }

  return async (signal) => {
    const bounds = { signal, timeoutMs: CALL_MS };
    const me = await twice(() => client.call('getMe', {}, bounds));
    if (!me.ok) return meFaults(me, host);
    const username = nameSchema.safeParse(me.result).data?.username;
    if (username !== undefined) onName(username);
    const faults = mode === 'polling' ? pollFaults(pollFault()) : await webhookFaults(bounds);
    // A fault is told at once; menus can wait until it is cured.
    if (faults.length === 0) await tellProfile(bounds);
    return faults;
  };
}

type Bounds = CallOptions & { readonly signal: AbortSignal };

function pollFaults(why: string | undefined): string[] {
  return why === undefined ? [] : [`getUpdates fails (${why}): does another bot use this token?`];
}

/** Whether the same call will be refused again. */
export function isRefused(answer: Answer): answer is Failure {
  return !answer.ok && (answer.kind === 'rejected' || answer.kind === 'unreachable');
}

const nameSchema = z.object({ username: z.string() });

/** A call that went wrong is made once more: one lost packet is no alarm. */
async function twice(call: () => Promise<Answer>): Promise<Answer> {
  const first = await call();
  const lost = !first.ok && (first.kind === 'undelivered' || first.kind === 'uncertain');
  return lost ? call() : first;
}

/** What it says of Telegram that `getMe` fails so. */
function meFaults({ kind, why }: Failure, host: string): string[] {
  switch (kind) {
    // It is there, and accepts our token.
    case 'throttled':
      return [];
    case 'unauthorized':
      return [
        `Telegram refuses the token (${why}): was it revoked at BotFather? Set TELEGRAM_BOT_TOKEN, restart`,
      ];
    case 'undelivered':
    case 'uncertain':
      return [`Telegram does not answer at ${host} (${why}): look at the network and TELEGRAM_API_ROOT`];
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
  // Telegram shows none where the webhook brings the usual ones.
  const { allowed_updates: asked = ALLOWED_UPDATES } = info;
  const missing = url === '' ? [] : ALLOWED_UPDATES.filter((kind) => !asked.includes(kind));
  if (missing.length > 0) {
    faults.push(`the webhook does not bring ${missing.join(', ')}: npm run telegram -- set`);
  }
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
