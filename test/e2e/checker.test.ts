import { expect, test } from 'vitest';
import { type Conversation, faultsOf } from '../support/checker.ts';

const answer = (serial: string, view = serial) => ({ text: `Code: ${serial}`, buttons: `confirm~${view}` });
const call = { status: 1 } as const;

const good: Conversation = {
  chat: 7,
  serials: ['S1', 'S2', 'S3'],
  told: [answer('S1'), { text: 'OK.', buttons: '' }, answer('S2'), answer('S3')],
  operations: [{ name: 'redeem', heard: 'done', calls: [call] }],
};

test('the checker is content with a conversation in order', () => {
  expect(faultsOf(good)).toEqual([]);
});

test('the checker forgives an answer told again, and a call that AntCRM never got where that was told', () => {
  const told = [answer('S1'), answer('S1'), answer('S2'), answer('S3')];
  expect(faultsOf({ ...good, told })).toEqual([]);
  expect(faultsOf({ ...good, operations: [{ name: 'redeem', heard: 'not applied', calls: [] }] })).toEqual(
    [],
  );
});

test.for<[what: string, seen: Partial<Conversation>, fault: RegExp]>([
  ['a message lost', { told: [answer('S1'), answer('S3')] }, /S2 was acknowledged and never answered/],
  ['messages swapped', { told: [answer('S2'), answer('S1'), answer('S3')] }, /S1 was answered after S2/],
  [
    'an answer told again after a later one',
    { told: [...good.told, answer('S1')] },
    /S1 was answered after S3/,
  ],
  ['a message applied twice', { told: [answer('S1', 'v8'), ...good.told] }, /S1 was applied 2 times/],
  [
    'a second call',
    { operations: [{ name: 'redeem', heard: 'done', calls: [call, { status: 0 }] }] },
    /called 2/,
  ],
  [
    'a success that was none',
    { operations: [{ name: 'redeem', heard: 'done', calls: [] }] },
    /applied 0 times/,
  ],
  [
    'a success told as a failure',
    { operations: [{ name: 'redeem', heard: 'not applied', calls: [call] }] },
    /told as not applied and was applied/,
  ],
  [
    'a silent bot',
    { operations: [{ name: 'redeem', heard: 'nothing', calls: [call] }] },
    /no result was told/,
  ],
])('the checker finds %s', ([, seen, fault]) => {
  expect(faultsOf({ ...good, ...seen })).toEqual([expect.stringMatching(fault)]);
});
