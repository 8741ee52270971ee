import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { TEAMS } from '../../src/channels/teams/address.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import type { Operation } from '../../src/conversation/state.ts';
import type { OpenLetter, OpenOperation, Operators, StoredConversation } from '../../src/engine/operators.ts';
import { findWork, tellStory } from '../../src/operators/operation.ts';
import { operatorRoutes } from '../../src/operators/routes.ts';
import { incoming } from '../engine/bot.ts';
import { newState } from '../support/conversation.ts';

const CHECKS_MS = [5000, 20_000, 60_000];
const iso = (ms: number): string => new Date(ms).toISOString();

const lookup: Lookup = {
  kind: 'redeem',
  by: { kind: 'phone', value: '+84867123456' },
  code: 'DAUMAY01',
  fromMs: 0,
  calledMs: 1000,
  deadlineMs: 9000,
  baseline: [],
  locks: [],
};

const SENDER = { channel: 'teams', proof: 'profile' } as const;
const TEAMS_ADDRESS = {
  service: 'https://smba.example',
  bot: '28:bot',
  user: '29:user',
  person: 'object-id',
};

const openOperation = (over: Partial<OpenOperation> = {}, looked: Partial<Lookup> = {}): OpenOperation => ({
  reference: 'REF',
  conversation: 'c1',
  atMs: 900,
  intent: {
    origin: { channel: 'teams', conversation: 'a:1', address: TEAMS_ADDRESS, sender: SENDER },
    body: { lookup: { ...lookup, ...looked } },
  },
  ...over,
});

const letterOf = (over: Partial<OpenLetter> = {}): OpenLetter => {
  return { id: '1-ab', conversation: 'c1', atMs: 950, reason: 'threw', holds: incoming('help'), ...over };
};

function kept(operation?: Partial<Operation>, messages: readonly Message[] = []): StoredConversation {
  const operations: Operation[] = operation
    ? [{ id: 'REF', kind: 'redeem', status: 'checking', atMs: 9500, checks: 0, lookup, ...operation }]
    : [];
  return {
    ...{ nowMs: 10_000, origin: null },
    state: { ...newState(0), operations },
    messages: messages.map((message) => incoming('', { message })),
    outbox: [],
    leasedUntilMs: null,
  };
}

describe('the story of an operation', () => {
  const told = (conversation: StoredConversation | null, letters: OpenLetter[] = []) =>
    tellStory({
      ...{ operation: openOperation(), lookup, conversation, letters, decision: null },
      checksMs: CHECKS_MS,
    });
  test('names the dead letter that its turn became', () => {
    const story = told(kept(), [letterOf({ id: '2-cd', conversation: 'another' }), letterOf()]);
    expect(story.at(-1)).toMatchObject({ at: iso(950), says: expect.stringContaining('1-ab') });
  });

  test('says what the customer was told, and when no lookup follows', () => {
    expect(told(kept({ status: 'watching', checks: 2 })).map(({ says }) => says)).toEqual([
      ...Array.from({ length: 3 }, () => expect.any(String)),
      'Looked up (1 of 3).',
      'Looked up (2 of 3).',
      expect.stringContaining('not applied'),
      'The next lookup (3 of 3).',
    ]);
    const escalated = told(kept({ status: 'escalated', checks: 3 }));
    expect(escalated.at(-1)?.says).toContain('it is yours');
  });

  test('tells of a decision that no bot has taken up', () => {
    const decision: Message = { kind: 'settle', operation: 'REF', result: 'done' };
    const other: Message = { kind: 'settle', operation: 'OTHER', result: 'done' };
    const story = told(kept({}, [other, decision]));
    expect(story.map(({ what }) => what)).toEqual(['intent', 'call', 'told', 'lookup', 'settled']);
  });
});

/** A store that lists these. */
function operatorsWith(
  operations: OpenOperation[],
  letters: OpenLetter[] = [],
  states: Readonly<Record<string, StoredConversation>> = {},
): Omit<Operators, 'file'> {
  return {
    operations: async () => operations,
    letters: async () => letters,
    conversation: async (name) => states[name] ?? null,
    nameOf: (channel, conversation) => `${channel}/${conversation}`,
    settle: async () => 'unknown',
    remove: async () => false,
    replay: async () => 'unknown',
  };
}

describe('a customer is found', () => {
  const references = ({ operations }: Awaited<ReturnType<typeof findWork>>) =>
    operations.map((one) => one.reference);

  test.each(['a:1', '29:user', 'object-id'])(
    'on Teams by %s: conversation, user or object id',
    async (id) => {
      const open = openOperation({ conversation: 'teams/a:1' });
      const found = await findWork({ channel: 'teams', id }, operatorsWith([open]), [TEAMS]);
      expect(references(found)).toEqual(['REF']);
    },
  );

  test('by a phone that the call carried, that the conversation remembers, or that the message names', async () => {
    const phone = '+84867123456';
    const by = { kind: 'email', value: 'minh@example.vn' } as const;
    const state = { ...newState(0), profile: { phone: { value: phone, proved: true } } };
    const operators = operatorsWith(
      [
        openOperation(),
        openOperation({ reference: 'MAIL', conversation: 'c2' }, { by }),
        openOperation({ reference: 'NOT', conversation: 'c3' }, { by }),
        openOperation(
          { reference: 'OTHER', conversation: 'c2' },
          { by: { kind: 'phone', value: '+84912345678' } },
        ),
      ],
      [
        letterOf({ id: 'text', conversation: 'c4', holds: incoming('points of 0867 123 456 please') }),
        letterOf({
          id: 'contact',
          conversation: 'c5',
          holds: incoming('', { message: { kind: 'contact', phone: '84867123456', own: true } }),
        }),
        letterOf({ id: 'none', conversation: 'c6', holds: incoming('points of 0912345678') }),
        letterOf({ id: 'sealed', conversation: 'c7', holds: null }),
        letterOf({ id: 'state', conversation: 'c2', holds: 'state' }),
      ],
      { c2: { ...kept(), state } },
    );
    const found = await findWork({ phone }, operators, []);
    expect(references(found)).toEqual(['REF', 'MAIL']);
    expect(found.letters.map(({ id }) => id)).toEqual(['text', 'contact', 'state']);
  });
});

test('of several codes confirmed at once each is an operation, and the reference of all of them says which', async () => {
  const operators = operatorsWith([
    openOperation({ reference: 'REF.1' }),
    openOperation({ reference: 'REF.2' }),
  ]);
  const app = Fastify();
  const guard = async () => {};
  const decisions = { find: async () => null, keep: async () => {} };
  const options = {
    guard,
    operators,
    decisions,
    channels: [],
    checksMs: CHECKS_MS,
    log: { warn() {} },
    nowMs: () => 0,
  };
  await app.register(operatorRoutes(options));
  expect((await app.inject('/operations/ref.2')).statusCode).toBe(200);
  const asked = [
    await app.inject('/operations/REF'),
    await app.inject({ method: 'POST', url: '/operations/REF/settle', body: { result: 'done' } }),
  ];
  for (const answer of asked) {
    expect(answer.json()).toMatchObject({
      status: 404,
      detail: 'Several codes were confirmed at once. Say which: REF.1, REF.2',
    });
  }
});
