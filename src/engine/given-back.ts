/**
 * The lease is given back and nothing was changed: this process or another one takes the turn after `afterMs`. It is no
 * failure, and does not count as an attempt. `reason` is for operators.
 */
export class GivenBack extends Error {
  override readonly name = 'GivenBack';
  readonly reason: string;
  readonly afterMs: number;

  constructor(reason: string, afterMs = 0) {
    super(reason);
    this.reason = reason;
    this.afterMs = afterMs;
  }
}

/** A turn that finds no room in a bulkhead comes again after this, or up to three times as much. */
const NO_ROOM_MS = 2000;

/** `random` in [0, 1). */
export const givenBackForRoom = (random: number): GivenBack =>
  new GivenBack('no room', Math.round(NO_ROOM_MS * (1 + 2 * random)));
