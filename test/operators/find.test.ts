import { expect, test } from 'vitest';
import { TEAMS } from '../../src/channels/teams/address.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import type { OpenLetter, OpenOperation, StoredConversation } from '../../src/engine/operators.ts';
import { findConversations } from '../../src/operators/operation.ts';
import { newState } from '../support/conversation.ts';

const PHONE = '+84867123456';
const byEmail = { kind: 'email', value: 'minh@example.vn' } as const;

function openOperation(reference: string, conversation: string, by: Lookup['by'] = byEmail): OpenOperation {
  const address = { service: 'https://smba.example', bot: '28:bot', user: '29:user', person: 'object-id' };
  const sender = { channel: 'teams', proof: 'profile' } as const;
  const times = { fromMs: 0, calledMs: 1000, deadlineMs: 9000 };
  const lookup: Lookup = { kind: 'redeem', by, code: 'DAUMAY01', ...times, baseline: [], locks: [] };
  const origin = { channel: 'teams', conversation: 'a:1', address, sender };
  return { reference, conversation, atMs: 900, intent: { origin, body: { lookup } } };
}

test('a customer is found on Teams by their ids, or by a phone of the call or of the conversation', async () => {
  const state = { ...newState(0), profile: { phone: { value: PHONE, proved: true } } };
  const remembering: StoredConversation = {
    ...{ nowMs: 10_000, origin: null, state },
    ...{ messages: [], outbox: [], leasedUntilMs: null },
  };
  const letterOf = (id: string, conversation: string, holds: OpenLetter['holds']): OpenLetter => {
    return { id, conversation, atMs: 950, reason: 'threw', holds };
  };
  const operators = {
    operations: async () => [
      openOperation('CALL', 'teams/a:1', { kind: 'phone', value: PHONE }),
      openOperation('MAIL', 'c2'),
    ],
    letters: async () => [letterOf('state', 'c2', 'state'), letterOf('none', 'c3', null)],
    conversation: async (name: string) => (name === 'c2' ? remembering : null),
  };
  const find = async (channel: string, id: string) => [
    ...(await findConversations({ channel, id }, operators, [TEAMS])),
  ];
  for (const id of ['29:user', 'object-id']) expect(await find('teams', id)).toEqual(['teams/a:1', 'c2']);
  expect(await find('phone', PHONE)).toEqual(['teams/a:1', 'c2']);
  expect(await find('phone', '+84912345678')).toEqual([]);
  expect(await find('telegram', '29:user')).toEqual([]);
});
