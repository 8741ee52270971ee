import { LeaseLost } from '../conversation/perform.ts';
import type { Lease } from '../store/mailbox.ts';
import type { ConversationStore } from '../store/store.ts';

/** A lease that a turn of this process works under. */
export class Held implements Lease {
  readonly conversation: string;
  readonly fence: number;
  readonly nonce: string;
  /** Of the release that handed over what is worked on; the lease's own work has none. */
  mark: string | undefined;
  /** An intent was written for the turn at work: AntCRM may have been called, so the turn must be finished. */
  pastIntent = false;
  /** The end of the lease on this process's monotonic clock, rather too early than too late. */
  aliveUntilMs: number;
  #lost = false;
  /** Made when it is first asked for: most turns make no call that could be stopped. */
  #abort: AbortController | undefined;

  constructor({ conversation, fence, nonce }: Lease, aliveUntilMs: number) {
    this.conversation = conversation;
    this.fence = fence;
    this.nonce = nonce;
    this.aliveUntilMs = aliveUntilMs;
  }

  /** The lease is known to be lost. */
  get lost(): boolean {
    return this.#lost;
  }

  lose(): void {
    this.#lost = true;
    this.#abort?.abort();
  }

  /** Aborts once the lease is known to be lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#lost) this.#abort.abort();
    return this.#abort.signal;
  }
}

/**
 * The lease is given back with nothing changed: another process, or this one, takes the turn after `afterMs`. It is no
 * failure, and does not count as an attempt.
 */
export class GivenBack extends Error {
  override readonly name = 'GivenBack';
  readonly afterMs: number;

  constructor(afterMs = 0) {
    super();
    this.afterMs = afterMs;
  }
}

/** A turn that finds no room in a bulkhead comes again after this, or up to three times as much. */
const NO_ROOM_MS = 2000;

/** `random`: in [0, 1), for jitter. */
export const givenBackForRoom = (random: () => number): GivenBack =>
  new GivenBack(Math.round(NO_ROOM_MS * (1 + 2 * random())));

/** The leases at work, and the one timer that renews them all. */
export function createLeases(options: {
  store: Pick<ConversationStore, 'renew'>;
  leaseMs: number;
  renewMs: number;
  onError(error: unknown): void;
}) {
  const { store, leaseMs, renewMs, onError } = options;
  const live = new Set<Held>();
  let timer: NodeJS.Timeout | undefined;

  async function renew(held: Held): Promise<void> {
    const sinceMs = performance.now();
    try {
      if (await store.renew(held)) held.aliveUntilMs = sinceMs + leaseMs;
      else held.lose();
    } catch (error) {
      onError(error);
    }
  }

  return {
    get count() {
      return live.size;
    },
    /** `sinceMs`: the moment the lease was asked for, monotonic. */
    add(lease: Lease, sinceMs: number): Held {
      const held = new Held(lease, sinceMs + leaseMs);
      live.add(held);
      return held;
    },
    remove: (held: Held) => live.delete(held),
    start() {
      timer = setInterval(() => {
        for (const held of live) void renew(held);
      }, renewMs).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** Throws `LeaseLost` where the lease is known to be lost. */
export function assertNotLost(held: Held): void {
  if (held.lost) throw new LeaseLost();
}

/** The same, and also where the lease has ended as far as this process can tell. */
export function assertHeld(held: Held): void {
  if (performance.now() >= held.aliveUntilMs) held.lose();
  assertNotLost(held);
}
