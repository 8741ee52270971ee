import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Registrations } from '../../src/store/registrations.ts';

/** Two processes on one store. */
export type OpenRegistrations = () => Promise<{ one: Registrations; other: Registrations }>;

/** Each promise of `src/store/registrations.ts`, run for each implementation. */
export function registrationsContract(implementation: string, open: OpenRegistrations): void {
  describe(`the ${implementation} registrations`, () => {
    const someName = (): string => randomBytes(16).toString('base64url');

    test('one process at a time may register, and as often as it likes', async () => {
      const { one, other } = await open();
      const name = someName();
      expect(await one.take(name, 'p1')).toBe(true);
      expect(await other.take(name, 'p2')).toBe(false);
      expect(await one.take(name, 'p1')).toBe(true);
      expect(await other.take(someName(), 'p2')).toBe(true);
      await one.end(name, 'p1');
      expect(await other.take(name, 'p2')).toBe(true);
      expect(await one.take(name, 'p1')).toBe(false);
    });

    test('what was registered last is known to all', async () => {
      const { one, other } = await open();
      const name = someName();
      expect(await other.last(name)).toBeNull();
      await one.take(name, 'p1');
      await one.end(name, 'p1', 'first');
      expect(await other.last(name)).toBe('first');
      await other.take(name, 'p2');
      await other.end(name, 'p2', 'second');
      expect(await one.last(name)).toBe('second');
      await one.take(name, 'p1');
      await one.end(name, 'p1');
      expect(await one.last(name)).toBe('second');
    });

    test('a process that has lost the right ends nothing and remembers nothing', async () => {
      const { one, other } = await open();
      const name = someName();
      await one.take(name, 'p1');
      await other.end(name, 'p2', 'theirs');
      expect(await other.take(name, 'p2')).toBe(false);
      expect(await one.last(name)).toBeNull();
    });
  });
}
