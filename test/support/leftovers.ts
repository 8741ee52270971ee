import { afterAll, expect } from 'vitest';
import { killChildren } from './children.ts';
import { leaks } from './logs.ts';

// Before each file's own hooks, so that they run after them: what bots say when they stop is looked at, too.
afterAll(() => expect(leaks(), 'personal data or a secret in a log').toEqual([]));
// A hook that fails leaves the others' work undone. Files share a process.
afterAll(killChildren);
