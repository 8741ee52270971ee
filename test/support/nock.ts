import nock from 'nock';
import { afterAll, beforeAll } from 'vitest';

/** For a file whose tests answer in place of servers. Files may share a process (`npm run test:quick`). */
export function answerByNock(): void {
  beforeAll(() => {
    // The first file's import has activated it.
    if (!nock.isActive()) nock.activate();
  });
  afterAll(() => nock.restore());
}
