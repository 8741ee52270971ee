import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/engine/messages.ts';
import { closedPort } from '../support/server.ts';
import type { Fault as TeamsFault } from '../support/teams-double.ts';
import type { Fault as TelegramFault } from '../support/telegram-double.ts';
import * as teams from './teams/harness.ts';
import * as telegram from './telegram/harness.ts';

/** Where the platform does not answer, a call need not take long; a busy machine takes a while to get there. */
const SHORT = { timeoutMs: 1000 };

const UNDELIVERED: Delivery = { kind: 'undelivered' };

/** One row of docs/how-it-works.md, "What a platform's answer means": how each platform answers, and what that means. */
type Row = {
  readonly answer: string;
  readonly means: Delivery;
  readonly telegram: readonly TelegramFault[];
  readonly teams: readonly TeamsFault[];
};

const error = (code: number, description: string, retryAfter?: number): TelegramFault => ({
  code,
  description,
  ...(retryAfter !== undefined && { parameters: { retry_after: retryAfter } }),
});

const TABLE: readonly Row[] = [
  {
    answer: '429 with a waiting time',
    means: { kind: 'throttled', afterMs: 7000 },
    telegram: [error(429, 'Too Many Requests: retry after 7', 7)],
    teams: [{ status: 429, retryAfter: 7 }],
  },
  {
    answer: '429 without a waiting time, 412',
    means: { kind: 'throttled' },
    telegram: [error(429, 'Too Many Requests')],
    teams: [{ status: 429 }, { status: 412 }],
  },
  {
    answer: '408, 5xx',
    means: { kind: 'uncertain' },
    telegram: [
      error(408, 'Request Timeout'),
      error(500, 'Internal Server Error: restart'),
      error(502, 'Bad Gateway'),
      error(504, 'Gateway Timeout'),
    ],
    teams: [{ status: 408 }, { status: 500 }, { status: 502 }, { status: 503 }, { status: 504 }],
  },
  {
    answer: '503 with a waiting time',
    means: { kind: 'uncertain', afterMs: 30_000 },
    telegram: [error(503, 'Service Unavailable', 30)],
    teams: [{ status: 503, retryAfter: 30 }],
  },
  {
    answer: 'none in time, or cut off, or not to be read',
    means: { kind: 'uncertain' },
    telegram: ['hang', 'reset', 'garbage'],
    teams: ['hang', 'reset'],
  },
  {
    answer: '401, for Telegram also 404, for the connector also 403 without a reason of the customer’s',
    means: { kind: 'unauthorized' },
    telegram: [error(401, 'Unauthorized'), error(404, 'Not Found')],
    teams: [{ status: 403, code: 'NotEnoughPermissions' }, { status: 403 }],
  },
  {
    answer: '403, or the conversation is not found',
    means: { kind: 'unreachable' },
    telegram: [
      error(403, 'Forbidden: bot was blocked by the user'),
      error(403, 'Forbidden: user is deactivated'),
      error(400, 'Bad Request: chat not found'),
    ],
    teams: [
      { status: 403, code: 'MessageWritesBlocked' },
      { status: 403, code: 'ConversationBlockedByUser' },
      { status: 403, code: 'BotNotInConversationRoster' },
      { status: 403, code: 'BotDisabledByAdmin' },
      { status: 403, code: 'ForbiddenOperationException' },
      { status: 404, code: 'ConversationNotFound' },
    ],
  },
  {
    answer: 'another 4xx',
    means: { kind: 'rejected' },
    telegram: [
      error(400, 'Bad Request: message text is empty'),
      error(404, 'Not Found: method not found'),
      error(409, 'Conflict'),
      error(413, 'Request Entity Too Large'),
    ],
    teams: [{ status: 400 }, { status: 409 }, { status: 413 }, { status: 422 }],
  },
  {
    answer: 'a redirect, which is not followed',
    means: { kind: 'undelivered' },
    telegram: [error(302, 'Found')],
    teams: [{ status: 307 }],
  },
];

/** Sends one reply while the platform answers so; tells what it came to, and how often the platform was asked. */
async function byTelegram(fault: TelegramFault) {
  const { channel, double } = await telegram.createBot(fault === 'hang' ? SHORT : {});
  double.script('sendMessage', fault);
  const delivery = await channel.deliver(telegram.outgoing({ key: 'k' }), 1);
  return { delivery, calls: double.calls('sendMessage').length };
}

async function byTeams(...faults: TeamsFault[]) {
  const { channel, double, outgoing } = await teams.createBot(faults.includes('hang') ? SHORT : {});
  double.script(...faults);
  const delivery = await channel.deliver(outgoing({ key: 'k' }), 1);
  return { delivery, calls: double.calls().length };
}

describe.each(TABLE)('a platform’s answer: $answer', ({ means, telegram: byBotApi, teams: byConnector }) => {
  it.each(byBotApi)('Telegram: %j', async (fault) => {
    expect(await byTelegram(fault)).toEqual({ delivery: means, calls: 1 });
  });

  it.each(byConnector)('the Bot connector: %j', async (fault) => {
    expect(await byTeams(fault)).toEqual({ delivery: means, calls: 1 });
  });
});

it('a connector that refuses a fresh token, too, refuses the bot', async () => {
  const refused = { status: 401 };
  expect(await byTeams(refused)).toEqual({ delivery: { kind: 'delivered' }, calls: 2 });
  expect(await byTeams(refused, refused)).toEqual({ delivery: { kind: 'unauthorized' }, calls: 2 });
});

it('what was never sent is surely not delivered: where nobody listens, or the channel is closed', async () => {
  const nowhere = await telegram.createBot({ apiRoot: await closedPort() });
  expect(await nowhere.channel.deliver(telegram.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);
  const away = await teams.createBot();
  await away.double.close();
  expect(await away.channel.deliver(away.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);

  const atTelegram = await telegram.createBot();
  await atTelegram.channel.close?.();
  expect(await atTelegram.channel.deliver(telegram.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);
  const atTeams = await teams.createBot();
  await atTeams.channel.close?.();
  expect(await atTeams.channel.deliver(atTeams.outgoing({ key: 'k' }), 1)).toEqual(UNDELIVERED);
  expect([atTelegram.double.calls(), atTeams.double.calls()]).toEqual([[], []]);
});
