/**
 * What the processes of one bot share about its registration at a platform: whose turn it is to register, and what was
 * registered last, which the platform does not show in full. `name` and `fingerprint` are keyed hashes. Each method is
 * atomic and may be sent twice; each rejects with `StoreUnavailable`.
 *
 * @example
 * if ((await registrations.last(name)) === fingerprint) return;
 * if (!(await registrations.take(name, holder))) return;
 * const isRegistered = await register();
 * await registrations.end(name, holder, isRegistered ? fingerprint : undefined);
 */
export interface Registrations {
  /** Takes the right to register for `REGISTERING_MS`; again by its holder: for as long anew. False: another has it. */
  take(name: string, holder: string): Promise<boolean>;
  /** The fingerprint of what was registered last; null if none is known. */
  last(name: string): Promise<string | null>;
  /**
   * Gives the right back and, with a `fingerprint`, remembers it for `REGISTERED_MS`: after that the bot is registered
   * once more, which changes nothing. Does nothing where the right has passed to another process.
   */
  end(name: string, holder: string, fingerprint?: string): Promise<void>;
}

/** Longer than one call of the registration with the pause before it. */
export const REGISTERING_MS = 2 * 60_000;
export const REGISTERED_MS = 30 * 24 * 60 * 60_000;
