import { expect, test } from 'vitest';
import { TEAMS } from '../../src/channels/teams/address.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import type { OpenLetter, OpenOperation, StoredConversation } from '../../src/engine/operators.ts';
import { findWork } from '../../src/operators/operation.ts';
import { incoming } from '../engine/bot.ts';
import { newState } from '../support/conversation.ts';

const PHONE = '+84867123456';
const times = { fromMs: 0, calledMs: 1000, deadlineMs: 9000 };
const byEmail = { kind: 'email', value: 'minh@example.vn' } as const;

function openOperation(reference: string, conversation: string, by: Lookup['by'] = byEmail): OpenOperation {
  const address = { service: 'https://smba.example', bot: '28:bot', user: '29:user', person: 'object-id' };
  const sender = { channel: 'teams', proof: 'profile' } as const;
  const lookup: Lookup = { kind: 'redeem', by, code: 'DAUMAY01', ...times, baseline: [], locks: [] };
  const origin = { channel: 'teams', conversation: 'a:1', address, sender };
  return { reference, conversation, atMs: 900, intent: { origin, body: { lookup } } };
}

const letterOf = (id: string, conversation: string, holds: OpenLetter['holds']): OpenLetter => {
  return { id, conversation, atMs: 950, reason: 'threw', holds };
};

/** A store that lists these. `c2` remembers the phone. */
function operatorsWith(operations: OpenOperation[], letters: OpenLetter[] = []) {
  const state = { ...newState(0), profile: { phone: { value: PHONE, proved: true } } };
  const stored: StoredConversation = {
    ...{ nowMs: 10_000, origin: null, state },
    ...{ messages: [], outbox: [], leasedUntilMs: null },
  };
  return {
    operations: async () => operations,
    letters: async () => letters,
    conversation: async (name: string) => (name === 'c2' ? stored : null),
    nameOf: (channel: string, conversation: string) => `${channel}/${conversation}`,
  };
}

test.each(['a:1', '29:user', 'object-id'])(
  'a customer is found on Teams by %s: conversation, user or object id',
  async (id) => {
    const operators = operatorsWith([openOperation('REF', 'teams/a:1')]);
    const { operations } = await findWork({ channel: 'teams', id }, operators, [TEAMS]);
    expect(operations).toMatchObject([{ reference: 'REF' }]);
  },
);

test('a customer is found by a phone that the call carried, or that the conversation remembers', async () => {
  const operators = operatorsWith(
    [
      openOperation('CALL', 'c1', { kind: 'phone', value: PHONE }),
      openOperation('MAIL', 'c2'),
      openOperation('NOT', 'c3'),
    ],
    [
      letterOf('text', 'c2', incoming('help')),
      letterOf('state', 'c2', 'state'),
      letterOf('none', 'c3', null),
    ],
  );
  const { operations, letters } = await findWork({ phone: PHONE }, operators, []);
  expect(operations.map(({ reference }) => reference)).toEqual(['CALL', 'MAIL']);
  expect(letters.map(({ id }) => id)).toEqual(['text', 'state']);
});
