import { ActivityTypes } from 'botbuilder';
import { expect, it } from 'vitest';
import { parseActivity } from '../../../src/channels/teams/activity.ts';
import { ConnectorAdapter, ConnectorError } from '../../../src/channels/teams/adapter.ts';
import type { Answer, Connector } from '../../../src/channels/teams/connector.ts';
import { CustomerHandler } from '../../../src/channels/teams/handler.ts';
import { activity, BOT, textActivity, USER } from '../../support/teams-activities.ts';
import { CHAT } from './harness.ts';

const service = 'https://connector.example/';
const reference = {
  serviceUrl: service,
  channelId: 'msteams',
  bot: { id: BOT, name: '' },
  user: { id: USER, name: '' },
  conversation: { id: CHAT, name: '', isGroup: false, conversationType: '' },
};

/** An adapter whose connector answers so; `calls` are what it was asked for. */
function over(answer: Answer) {
  const calls: unknown[][] = [];
  const call: Connector['call'] = async (...asked) => {
    calls.push(asked);
    return answer;
  };
  const connector = { call, look: async () => undefined, isRefused: () => false, close: async () => {} };
  return { adapter: new ConnectorAdapter(connector), calls };
}

const path = `v3/conversations/${encodeURIComponent(CHAT)}/activities`;

it('sends, updates and deletes by one call each, and says what the connector made', async () => {
  const { adapter, calls } = over({ ok: true, body: { id: 'a1' } });
  const made: unknown[] = [];
  await adapter.continueConversation(reference, async (context) => {
    made.push(await context.sendActivity({ type: ActivityTypes.Typing }));
    await context.updateActivity({ type: ActivityTypes.Message, text: 'x', id: 'a/1' });
    await context.deleteActivity('a/1');
  });
  expect(made).toEqual([{ id: 'a1' }]);
  expect(calls.map(([at, method, where]) => [at, method, where])).toEqual([
    [service, 'POST', path],
    [service, 'PUT', `${path}/a%2F1`],
    [service, 'DELETE', `${path}/a%2F1`],
  ]);
});

it('goes through middleware, and rejects with what the connector answered, once', async () => {
  const { adapter, calls } = over({ ok: false, kind: 'throttled', afterMs: 7 });
  const seen: string[] = [];
  adapter.use(async (context, next) => {
    seen.push(context.activity.type);
    await next();
  });
  const sent = adapter.continueConversation(reference, async (context) => {
    await context.sendActivity('x');
  });
  await expect(sent).rejects.toThrow(ConnectorError);
  await expect(sent).rejects.toMatchObject({ failure: { kind: 'throttled', afterMs: 7 } });
  expect([seen, calls.length]).toEqual([['event'], 1]);
});

it.each([
  [
    'a meeting that is not as the SDK expects it',
    { type: 'event', name: 'application/vnd.microsoft.meetingStart', value: 7 },
  ],
  ['an edit without what the SDK reads of it', { type: 'messageUpdate', channelData: undefined }],
  ['a wish for replies in the answer', { ...textActivity('x'), deliveryMode: 'expectReplies' }],
])('an activity with %s calls nobody and breaks nothing', async (_what, more) => {
  const { adapter, calls } = over({ ok: true, body: {} });
  const received: string[] = [];
  const handler = new CustomerHandler(async ({ message }) => received.push(message.kind));
  const parsed = parseActivity({ ...activity('message'), serviceUrl: service, ...more });
  if (!parsed) throw new Error('no activity');
  expect(await adapter.process(parsed, handler)).toBeUndefined();
  expect(calls).toEqual([]);
  expect(received).toEqual(more.type === 'message' ? ['text'] : []);
});
