import type { Context } from '../conversation/context.ts';
import type { Effect, Outcome } from '../conversation/effect.ts';
import { LeaseLost, TurnInterrupted } from '../conversation/perform.ts';
import type { PhotoEffect } from '../conversation/photo.ts';
import type { Reply } from '../conversation/reply.ts';
import { spokenOver } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { Observe } from '../observe.ts';
import type { Next } from '../store/mailbox.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { type Bulkhead, NO_ROOM } from './bulkhead.ts';
import { GivenBack, givenBackForRoom, type Held } from './leases.ts';
import type { Outlet } from './outlet.ts';
import type { Asker } from './perform.ts';
import { attemptsOf, type DeadReason, type Turn } from './read.ts';
import { type Conversation, leave, runSteps, type TurnResult } from './steps.ts';

/** When a poisoned wake-up is tried again; each time is an alarm. */
const WAKE_AGAIN_MS = 10 * 60 * 1000;

const FAILED: Reply = { key: 'turn.failed' };

export type DecideTools = {
  readonly conversation: Conversation;
  ids(): Context['ids'];
  perform(
    effect: Effect | PhotoEffect,
    held: Held,
    asker: Asker,
    nowMs: () => number,
  ): Promise<Outcome | PhotoEffect>;
  outlet(channel: string): Outlet | undefined;
  /** What a channel's platform may take up at once. */
  bulkhead(channel: string): Bulkhead;
  /** In [0, 1), for jitter. */
  random(): number;
  stopping(): boolean;
  /** As in `Limits`. */
  readonly attempts: number;
  readonly observe: Pick<Observe, 'log'>;
};

/** What the turn decides, or why it never will. */
export async function attempt(
  held: Held,
  { next, reading: { before, asker, unreadable }, notes }: Turn,
  save: (decided: TurnResult) => Promise<void>,
  tools: DecideTools,
): Promise<TurnResult | DeadReason> {
  if (unreadable) return 'unreadable';
  if (attemptsOf(next) > tools.attempts) return 'attempts';
  // A wake-up whose state could not be read: nobody knows whose it was.
  if (asker === null) return leave(before.state, null);

  const { observe } = tools;
  const { incoming } = asker;
  const input: Input = incoming === null ? { kind: 'wake' } : { kind: 'message', message: incoming.message };
  try {
    const known = await identified(asker, tools);
    notes.passed('identify');
    return await step(held, next, { state: before.state, input, asker: known, save }, tools);
  } catch (err) {
    if (isOurs(err) || held.pastIntent) throw err;
    if (err instanceof TurnInterrupted || tools.stopping()) throw new GivenBack();
    observe.log.error({ err, conversation: held.conversation }, 'a turn threw');
    return 'threw';
  }
}

/** Of the engine and its store: the message is not to blame. */
const isOurs = (error: unknown): boolean =>
  error instanceof GivenBack || error instanceof StoreUnavailable || error instanceof LeaseLost;

type Beginning = Pick<Parameters<typeof runSteps>[0], 'state' | 'input'> & {
  readonly asker: Asker;
  readonly save: (decided: TurnResult) => Promise<void>;
};

/** Steps from there on. Time passes meanwhile, by the store's clock. */
function step(
  held: Held,
  { nowMs, head }: Next,
  { state, input, asker, save }: Beginning,
  { conversation, ids, perform }: Pick<DecideTools, 'conversation' | 'ids' | 'perform'>,
): Promise<TurnResult> {
  const { sender, incoming } = asker;
  const startMs = performance.now();
  const now = () => nowMs + Math.round(performance.now() - startMs);
  return runSteps(
    { state, input, sender, current: head?.current ?? false, heardMs: incoming?.acceptedMs },
    { conversation, ids, now, save, perform: (effect) => perform(effect, held, asker, now) },
  );
}

/**
 * Some platforms must be asked who wrote, which is too slow to do before `accept`. Throws `GivenBack` where too many turns
 * wait for such an answer already.
 */
async function identified(
  asker: Asker,
  { outlet, bulkhead, random }: Pick<DecideTools, 'outlet' | 'bulkhead' | 'random'>,
): Promise<Asker> {
  const { incoming } = asker;
  const channel = incoming === null ? undefined : outlet(incoming.channel);
  if (incoming === null || channel?.identify === undefined) return asker;
  const identify = channel.identify.bind(channel);
  const sender = await bulkhead(incoming.channel)(() => identify(incoming));
  if (sender === NO_ROOM) throw givenBackForRoom(random);
  return { ...asker, sender };
}

/**
 * What is left of a message that will never be answered. The conversation decides, because it alone knows what may have
 * been called for the message. Where it throws too, nothing changes, and the customer gets an apology. A wake-up is put
 * off, not given up: an operation may wait for it, and with the operation the customer's next redemption. Where it is not
 * known whose the state is, nothing waits.
 */
export async function giveUp(
  held: Held,
  { next, reading: { before, asker } }: Turn,
  tools: DecideTools,
): Promise<TurnResult> {
  const { state, wakeAtMs } = before;
  if (next.head === null) return leave(state, asker === null ? null : next.nowMs + WAKE_AGAIN_MS);
  const asItWas = leave(spokenOver(state), wakeAtMs, [FAILED]);
  if (asker === null) return asItWas;
  const save = () => Promise.reject(new Error('nothing is saved on the way'));
  try {
    return await step(held, next, { state, input: { kind: 'failed' }, asker, save }, tools);
  } catch (err) {
    if (isOurs(err)) throw err;
    tools.observe.log.error({ err, conversation: held.conversation }, 'a turn threw while it was given up');
    return asItWas;
  }
}
