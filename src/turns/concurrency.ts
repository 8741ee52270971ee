/**
 * A bounded number of turns at once. A caller that finds no slot leaves its work in the mailbox and says so (`want`): the
 * next free slot claims it at once instead of waiting for the sweeper.
 *
 * `claim` takes up to `room` pieces of work and resolves to how many it took; each is to `free` its slot when it ends.
 * It must not reject.
 */
export function createConcurrency(count: number, claim: (room: number) => Promise<number>) {
  let taken = 0;
  let wanted = false;
  let filling = false;
  let whenIdle: (() => void) | undefined;

  function free(slots = 1): void {
    taken -= slots;
    if (wanted && taken < count) void fill();
    if (taken === 0) whenIdle?.();
  }

  /**
   * Claims work for the free slots, half of them at a time: a claim may wait for a slow store, and a message that
   * comes meanwhile must find a slot.
   */
  async function fill(): Promise<void> {
    if (filling) return;
    filling = true;
    do {
      const room = Math.ceil((count - taken) / 2);
      if (room <= 0) break;
      taken += room;
      wanted = false;
      const took = await claim(room);
      // All the room was filled: there may be more.
      if (took === room) wanted = true;
      taken -= room - took;
    } while (wanted);
    filling = false;
    if (taken === 0) whenIdle?.();
  }

  return {
    free,
    fill,
    /** Takes a slot, if there is one. */
    reserve(): boolean {
      if (taken >= count) return false;
      taken += 1;
      return true;
    },
    /** Work was left in the mailbox for want of a slot. */
    want(): void {
      wanted = true;
      if (taken < count) void fill();
    },
    /** Resolves once no slot is taken. */
    idle(): Promise<void> {
      return new Promise((resolve) => {
        whenIdle = resolve;
        if (taken === 0) resolve();
      });
    },
  };
}
