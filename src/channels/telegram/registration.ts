import { z } from 'zod';
import type { Command } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import { atMostEvery, type Log } from '../../observability/log.ts';
import { pause } from '../watch.ts';
import { ALLOWED_UPDATES } from './address.ts';
import {
  type Answer,
  type CallOptions,
  type Client,
  type Methods,
  type Patience,
  persist,
} from './client.ts';

export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum: accepting takes milliseconds, and back-pressure is ours (docs/how-it-works.md, "A message"). */
const MAX_CONNECTIONS = 100;
/** Two bots that want one token, or one address with two secrets, take turns no faster. */
const AGAIN_MS = 10 * 60_000;

export type RegistrationOptions = {
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** The language shown to clients in any other language than ours. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /** The commands of the menu, in its order. */
  readonly commands: readonly Command[];
};

/** A part of what Telegram must know of the bot. Setting it again changes nothing. */
export type Part = {
  readonly name: string;
  set(bounds?: CallOptions): Promise<Answer>;
  /** Whether Telegram has it as it should be; of a webhook, as far as it shows: never the secret. */
  isSet(bounds: CallOptions): Promise<boolean>;
};

/** Everything Telegram must know of the bot: where to send updates, the menu and the descriptions in each language. */
export function partsOf(client: Pick<Client, 'call'>, options: RegistrationOptions): Part[] {
  const { publicUrl, secret, words, defaultLocale } = options;

  function part<M extends keyof Methods>(name: M, payload: Methods[M], isSet: Part['isSet']): Part {
    return { name, set: (bounds) => client.call(name, payload, bounds), isSet };
  }

  function webhookPart(url: string, secret: string): Part {
    const allowed = { allowed_updates: ALLOWED_UPDATES, max_connections: MAX_CONNECTIONS };
    return part('setWebhook', { url, secret_token: secret, ...allowed }, async (bounds) => {
      const webhook = readWebhook(await client.call('getWebhookInfo', {}, bounds));
      return webhook?.url === url && missingKinds(webhook).length === 0;
    });
  }

  /** What clients in a language are shown; in any other than ours, where none is named. */
  function profileParts(locale: Locale, language: { readonly language_code?: Locale } = {}): Part[] {
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
      part('setMyCommands', { commands, ...language }, shows('getMyCommands', commands)),
      part('setMyDescription', { ...long, ...language }, shows('getMyDescription', long)),
      part('setMyShortDescription', { ...short, ...language }, shows('getMyShortDescription', short)),
    ];
  }

  return [
    ...(publicUrl !== undefined && secret !== undefined ? [webhookPart(webhookUrl(publicUrl), secret)] : []),
    ...profileParts(defaultLocale),
    ...LOCALES.flatMap((locale) => profileParts(locale, { language_code: locale })),
  ];
}

/** Where Telegram sends the updates of a bot at this public base. */
export function webhookUrl(publicUrl: string): string {
  return publicUrl.replace(/\/+$/, '') + ROUTE;
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
export type WebhookInfo = z.infer<typeof webhookSchema>;

/** The answer of `getWebhookInfo`; undefined where there is none, or none that can be read. */
export function readWebhook(answer: Answer): WebhookInfo | undefined {
  return answer.ok ? webhookSchema.safeParse(answer.result).data : undefined;
}

/** The kinds of updates that the webhook does not bring. Telegram shows none where it brings the usual ones. */
export function missingKinds({ url, allowed_updates: asked }: WebhookInfo): readonly string[] {
  return url === '' || !asked ? [] : ALLOWED_UPDATES.filter((kind) => !asked.includes(kind));
}

/**
 * The registration of a running process: each one tells Telegram what it does not have yet. Nothing rejects; a call is
 * repeated until Telegram has taken or refused it, and a refusal is shown to the operator.
 */
export type Registration = {
  /** All of it; not at the same moment as processes that start together. */
  start(): Promise<void>;
  /** The webhook anew, secret and all; at most every ten minutes. */
  again(): void;
  /** Resolves once nothing is under way. */
  idle(): Promise<void>;
};

export function createRegistration(
  parts: readonly Part[],
  { signal, pauseMs }: Patience,
  log: Log,
): Registration {
  const hooks = parts.filter(({ name }) => name === 'setWebhook');
  let underWay: Promise<void> = Promise.resolve();

  /** `anyway`: also what Telegram shows as it should be. */
  async function register(wanted: readonly Part[], anyway: boolean): Promise<void> {
    let set = 0;
    let refused = 0;
    for (const part of wanted) {
      if (signal.aborted) return;
      if (!anyway && (await part.isSet({ signal }))) continue;
      const answer = await persist(() => part.set({ signal }), { signal, pauseMs });
      if (answer.ok) set++;
      else if (!signal.aborted) {
        refused++;
        log.error({ call: part.name, why: answer.why }, 'Telegram refused a part of the registration');
      }
    }
    if (set + refused > 0 && !signal.aborted) log.info({ set, refused }, 'registered at Telegram');
  }

  return {
    start() {
      underWay = pause(Math.random() * pauseMs, signal).then(() => register(parts, false));
      return underWay;
    },
    again: atMostEvery(AGAIN_MS, () => {
      underWay = underWay.then(() => register(hooks, true));
    }),
    idle: () => underWay,
  };
}
