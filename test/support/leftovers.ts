import { afterAll } from 'vitest';
import { killChildren } from './children.ts';

// A hook that fails leaves the others' work undone. Files may share a process (`npm run test:quick`).
afterAll(killChildren);
