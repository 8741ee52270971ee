import { Telegram } from 'telegraf';
import type { Telegram as Methods, Opts } from 'telegraf/types';
import type { Answer, CallOptions, Client, Failure } from './client.ts';

/** What a method of telegraf's rejects with: Telegram's refusal, or why there was no answer. Neither token nor payload. */
class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.why);
    this.failure = failure;
  }
}

/**
 * telegraf's methods (`sendMessage`, `setWebhook`, …) over our transport instead of its own, which follows redirects with
 * the token and reads answers of any size. The token stays with the transport.
 */
export class BotApi extends Telegram {
  readonly #client: Pick<Client, 'call'>;
  readonly #limits: CallOptions;

  constructor(client: Pick<Client, 'call'>, limits: CallOptions = {}) {
    super('');
    this.#client = client;
    this.#limits = limits;
  }

  /** The same methods with a deadline and a signal: telegraf's take neither. */
  within(limits: CallOptions): BotApi {
    return new BotApi(this.#client, { ...this.#limits, ...limits });
  }

  /** The result is outside data, whatever telegraf's type promises: its user parses it. Rejects with `CallFailed`. */
  override callApi<M extends keyof Methods>(method: M, payload: Opts<M>): Promise<ReturnType<Methods[M]>>;
  override async callApi(method: string, payload: object): Promise<unknown> {
    const answer = await this.#client.call(method, payload, this.#limits);
    if (!answer.ok) throw new CallFailed(answer);
    return answer.result;
  }
}

/** What a call of `BotApi` came to, as a value. */
export async function answerOf(call: Promise<unknown>): Promise<Answer> {
  try {
    return { ok: true, result: await call };
  } catch (error) {
    if (error instanceof CallFailed) return error.failure;
    throw error;
  }
}
