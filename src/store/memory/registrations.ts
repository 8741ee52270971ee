import { REGISTERING_MS, type Registrations } from '../registrations.ts';

/** For one process: what it registered is forgotten with it. Those that share a `memory` behave as processes on a Redis. */
export function createMemoryRegistrations(memory = createRegistrationMemory()): Registrations {
  const { holders, fingerprints } = memory;
  return {
    async take(name, holder) {
      const held = holders.get(name);
      if (held && held.holder !== holder && held.untilMs > Date.now()) return false;
      holders.set(name, { holder, untilMs: Date.now() + REGISTERING_MS });
      return true;
    },
    last: async (name) => fingerprints.get(name) ?? null,
    async end(name, holder, fingerprint) {
      if (holders.get(name)?.holder !== holder) return;
      if (fingerprint !== undefined) fingerprints.set(name, fingerprint);
      holders.delete(name);
    },
  };
}

export function createRegistrationMemory() {
  return {
    holders: new Map<string, { readonly holder: string; readonly untilMs: number }>(),
    fingerprints: new Map<string, string>(),
  };
}
