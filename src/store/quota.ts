/**
 * What all processes of a bot together may send in a second; rate-limiter-flexible counts. A second begins with the first
 * message that is taken after the second before it, and its messages have times: number n of N leaves (n - 1)/N s after
 * the beginning. Each method is atomic and rejects with `StoreUnavailable`, soon, where the count cannot be reached.
 *
 * @example
 * const { first, count, leftMs } = await quota.take(1);
 * if (count === 0) return putOff(await quota.takePlaces(1));
 * await wait((1000 * (first - 1)) / perSecond - (1000 - leftMs));
 * const delivery = await send();
 * if (delivery.kind === 'throttled') pauseMs = await quota.refused(delivery.afterMs ?? 1000);
 */
export interface Quota {
  /** Takes the next `wanted` messages of this second, as many as are left. Those whose time has passed are nobody's. */
  take(wanted: number): Promise<Granted>;
  /**
   * Takes places in the line of those who are put off: until the first of them comes back, ms; the others follow at the
   * pace.
   */
  takePlaces(wanted: number): Promise<number>;
  /**
   * The platform refused a message for `afterMs`. Resolves to 0; or, where it refused another one within a second,
   * whichever process sent it, to the shorter of the two waits, ms: nothing may be taken until that is over.
   */
  refused(afterMs: number): Promise<number>;
}

/** `name`: the keyed hash of whose messages are counted, the same in all processes. `perSecond`: a whole number. */
export type OpenQuota = (name: string, perSecond: number) => Quota;

/** The messages from number `first` on (the first of a second is 1), `count` of them, perhaps none. */
export type Granted = {
  readonly first: number;
  readonly count: number;
  /** Until this second, or what was asked for by `refused`, is over. */
  readonly leftMs: number;
};

/** Whose time has passed of `perSecond` messages, where their second has `leftMs` to go. */
export function passedOf(perSecond: number, leftMs: number): number {
  return Math.max(0, Math.floor(perSecond * (1 - leftMs / 1000)));
}
