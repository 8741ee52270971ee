import { expect, test } from 'vitest';
import { collectNotices } from '../src/conversation/outline.ts';
import { newState } from '../src/conversation/state.ts';
import { createNotices } from '../src/notices.ts';
import { recordingObserve } from './support/observe.ts';

const OPERATION = { id: '5VH0M11JXX', kind: 'redeem', gift: 'DAUMAY01', atMs: 0, checks: 1 } as const;
const NOTHING = { escalated: [], questions: [] };

test.each([
  ['done', 'an unknown outcome was resolved'],
  ['notApplied', 'an unknown outcome was resolved'],
  ['escalated', 'an unknown outcome is with staff'],
] as const)('an operation whose outcome was unknown and that became %s: %s', (status, message) => {
  const { observe, said } = recordingObserve();
  const at = (is: 'checking' | typeof status) => ({
    ...newState(),
    operations: [{ ...OPERATION, status: is }],
  });
  const { onNotice } = createNotices(observe);
  for (const notice of collectNotices(at('checking'), at(status), NOTHING)) {
    onNotice(notice, { conversation: 'c1', channel: 'test' });
  }
  const fields = { conversation: 'c1', operation: OPERATION.id, was: 'checking', outcome: status };
  expect(said).toEqual([JSON.stringify(['info', message, fields, ''])]);
});
