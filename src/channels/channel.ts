import type { FastifyPluginAsync } from 'fastify';
import type { Incoming } from '../turns/delivery.ts';
import type { Outlet } from '../turns/outlet.ts';

/**
 * A way to talk with customers. To add one: a folder here that makes a `Channel`, a line in `app.ts`, its settings in
 * `config.ts`; `test/contract/channel.ts` runs the same conversation through each.
 */
export interface Channel extends Outlet {
  /** A stable word: it names the channel in stored messages, metrics and logs. */
  readonly name: string;
  /** Turns the platform's requests into messages. Answers only after `accept` has resolved, and does nothing slow. */
  readonly plugin: FastifyPluginAsync;
  /**
   * What is out of order between the bot and the platform as last seen, one operator's line each: what is wrong and what
   * to do, without a token or a secret. Costs nothing to ask: the channel looks by itself, at least twice a minute
   * (`shared/watch.ts`). Absent: there is no platform that could be out of order.
   */
  faults?(): readonly string[];
  /**
   * Once the server listens (register webhooks, begin polling, look for faults for the first time). Ends within a few
   * seconds, and must not reject, where a platform is out of reach.
   */
  start?(): Promise<void>;
  /** Hears nothing more: ends what `start` began. Replies are still delivered. */
  stop?(): Promise<void>;
  /**
   * After the last turn: ends event streams, lets calls under way finish and closes connections. What is delivered after
   * that is `undelivered`. May be called twice.
   */
  close?(): Promise<void>;
}

/**
 * What channels hand messages to. Resolves once the message is stored; the work goes on behind. Rejects with
 * `StoreUnavailable`: answer 503 with `Retry-After`.
 */
export type Accept = (incoming: Incoming) => Promise<'accepted' | 'duplicate' | 'full'>;
