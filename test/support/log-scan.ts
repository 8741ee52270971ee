import { afterAll, expect } from 'vitest';
import { leaks } from './logs.ts';

// Before each file's own hooks, so that it runs after them: what bots say when they stop is looked at, too.
afterAll(() => expect(leaks(), 'personal data or a secret in a log').toEqual([]));
