import { expect, test } from 'vitest';
import type { Lookup } from '../../src/conversation/effect.ts';
import { Dialogue, NOW, succeed } from '../support/dialogue.ts';

test('what is done by an operator’s word still has its record to come, which is nobody else’s', () => {
  const chat = new Dialogue();
  const lookup: Lookup = {
    ...{ kind: 'redeem', by: { kind: 'phone', value: '+84867123456' }, code: 'DAUMAY01' },
    ...{ fromMs: NOW, deadlineMs: NOW, baseline: [], locks: ['customer:475'] },
  };
  chat.answers = (effect) =>
    effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
  chat.text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
  const operation = chat.state.operations[0]?.id ?? '';
  chat.send({ kind: 'settle', operation, result: 'done' });
  expect(chat.last?.unlock).toMatchObject([{ operation, awaited: { code: 'DAUMAY01', deadlineMs: NOW } }]);
  expect(JSON.stringify(chat.last?.unlock)).not.toContain('867123456');
});

test('what an operator settles of nobody who is held holds nobody', () => {
  const chat = new Dialogue().send({ kind: 'settle', operation: 'AAAAAAAAAA', result: 'done' });
  expect(chat.last).toMatchObject({ settled: ['AAAAAAAAAA'] });
  expect(chat.last?.unlock ?? []).toEqual([]);
});

test('a flow that was ended unheard is told at the next message, and then no more', () => {
  const chat = new Dialogue();
  chat.state = { ...chat.state, step: { at: 'idle', unfinished: true } };
  expect(chat.wake().keys).toEqual([]);
  expect(chat.text('menu').keys).toEqual(['conversation.expired', 'menu']);
  expect(chat.text('menu').keys).toEqual(['menu']);
});

test('where AntCRM keeps no balance, the sums of the history are labelled as such', () => {
  const chat = new Dialogue({ channel: 'teams', proof: 'profile', email: 'garnacho@gmail.com' });
  chat.answers = () => ({ kind: 'sums', earned: 300, spent: 20, partial: false });
  expect(chat.text('xem điểm').replies[0]).toMatchObject({
    ...{ key: 'points.balance', context: 'sums', params: { points: 280 } },
  });
});
