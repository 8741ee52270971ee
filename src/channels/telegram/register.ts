import { randomUUID } from 'node:crypto';
import type { Log } from '../../observe.ts';
import type { Registrations } from '../../store/registrations.ts';
import { StoreUnavailable } from '../../store/unavailable.ts';
import { backoffMs } from '../shared/jitter.ts';
import { pause } from '../shared/pause.ts';
import { ALLOWED_UPDATES } from './address.ts';
import { answerOf, type BotApi } from './api.ts';
import { type Patience, persist } from './persist.ts';
import type { RegistrationCall } from './registration.ts';
import { readWebhook } from './webhook-info.ts';

/** What the processes of this bot share about its registration. */
export type Shared = {
  readonly registrations: Registrations;
  /** A keyed hash: what is stored does not reveal the secret. */
  hash(text: string): string;
};

export type RegisterOptions = {
  readonly api: BotApi;
  /** The bot's own id. */
  readonly bot: number;
  readonly calls: readonly RegistrationCall[];
  /** The webhook's address that `calls` register; undefined: they register none. */
  readonly webhookUrl: string | undefined;
  readonly shared: Shared;
  readonly patience: Patience;
  readonly log: Log;
};

/** Another process registers now. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/**
 * Registers the bot, in one process at a time, unless Telegram has it all: the address and the kinds of updates as it
 * shows them, the rest (the secret, the menu, the descriptions) as remembered in the store. Each call is repeated until
 * Telegram has taken or refused it; a refusal is shown to the operator. Never rejects because Telegram or the store is
 * out of reach.
 */
export async function register(options: RegisterOptions): Promise<void> {
  const { api, bot, calls, webhookUrl, shared, patience, log } = options;
  const { registrations, hash } = shared;
  const { signal, pauseMs } = patience;
  const name = hash(`telegram ${bot}`);
  const fingerprint = hash(JSON.stringify(calls.map((call) => [call.name, call.says])));
  const holder = randomUUID();

  async function isRegistered(): Promise<boolean> {
    if ((await registrations.last(name)) !== fingerprint) return false;
    if (webhookUrl === undefined) return true;
    const webhook = readWebhook(await answerOf(api.within({ signal }).getWebhookInfo()));
    const asked = webhook?.allowed_updates ?? [];
    return webhook?.url === webhookUrl && ALLOWED_UPDATES.every((kind) => asked.includes(kind));
  }

  async function tell({ name: method, run }: RegistrationCall): Promise<boolean> {
    const answer = await persist(async (signal) => {
      if (!(await registrations.take(name, holder))) throw new Overtaken();
      return run(signal);
    }, patience);
    if (!answer.ok && !signal.aborted) {
      log.error({ call: method, why: answer.why }, 'Telegram refused a part of the registration');
    }
    return answer.ok;
  }

  async function attempt(): Promise<boolean> {
    if (signal.aborted || (await isRegistered())) return true;
    if (!(await registrations.take(name, holder))) return false;
    let refused = 0;
    for (const call of calls) {
      if (!(await tell(call))) refused++;
      if (signal.aborted) break;
    }
    await registrations.end(name, holder, refused === 0 ? fingerprint : undefined);
    if (!signal.aborted) log.info({ calls: calls.length, refused }, 'registered at Telegram');
    return true;
  }

  for (let failures = 0; calls.length > 0 && !signal.aborted; failures++) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable || error instanceof Overtaken)) throw error;
    }
    await pause(backoffMs(failures, pauseMs), signal);
  }
}
