import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { NewerVersion, VERSION } from '../../src/conversation/state.ts';
import { BEFORE_RELEASE } from '../../src/engine/before-release.ts';
import { readIntent, readMessage, readStored } from '../../src/engine/messages.ts';
import { readState } from '../support/conversation.ts';
import { Dialogue, succeed } from '../support/dialogue.ts';
import { currentSamples, rewritten, SAMPLE_KINDS } from '../support/freeze.ts';
import { readStoredSamples } from '../support/samples.ts';
import { shapes } from '../support/shapes.ts';

/*
 * Stored bodies outlive the code that wrote them: their shapes, and samples of every version that a store may
 * have (`test/support/freeze.ts`). The samples of a released version never change: a bot has stored such
 * bodies.
 */

const GOES_ON =
  'If a release has stored this version, raise VERSION in src/conversation/state.ts and add the upgrade. Then ' +
  'write the samples: npx node test/support/freeze.ts (docs/recipes/stored.md). A new flow changes no version.';

describe(`the shapes of version ${VERSION}`, () => {
  const shapesFile = new URL(`../bodies/${VERSION}-shapes.json`, import.meta.url);
  const frozen: unknown = JSON.parse(readFileSync(shapesFile, 'utf8'));

  test.each(Object.entries(shapes()))('%s is as in its samples', (name, hash) => {
    expect(frozen, `The stored shape "${name}" has changed. ${GOES_ON}`).toMatchObject({ [name]: hash });
  });
});

test.each(SAMPLE_KINDS)('the samples of this version have every field of its %s', (kind) => {
  const samples = [...readStoredSamples(kind, VERSION)].map(([name, body]) => ({ name, body }));
  expect(samples, GOES_ON).toEqual(currentSamples(kind));
});

const text = (content: string) => (): Message => ({ kind: 'text', text: content });
const shares = (): Message => ({ kind: 'contact', phone: '84867123456', own: true });
const press =
  (choice: string) =>
  ({ state: { view, step } }: Dialogue): Message => ({
    kind: 'choice',
    choice: choice === 'confirm' && step.at === 'confirming' ? `confirm:${step.operation}` : choice,
    ...(view !== undefined && { view }),
  });
const asksStatus = ({ state }: Dialogue): Message => ({
  kind: 'text',
  text: state.operations.at(-1)?.id ?? '',
});

/** What the customer does next in each frozen state (nothing: the state wakes up), and what they hear. */
const NEXT: Readonly<Record<string, readonly [next: ((chat: Dialogue) => Message) | 'wakes', key: string]>> =
  {
    'accumulate-asking-code': [text('TIVI000000201'), 'accumulate.askPhone'],
    'accumulate-asking-phone': [text('0867123456'), 'accumulate.askEmail'],
    'accumulate-offering-mapped-phone': [press('use'), 'accumulate.askEmail'],
    'accumulate-asking-email': [press('skip'), 'accumulate.summary'],
    'accumulate-confirming': [press('confirm'), 'accumulate.done'],
    'accumulate-confirming-edit': [text('ừ'), 'confirm.press'],
    'accumulate-editing-code': [text('TIVI000000201'), 'accumulate.summary'],
    'accumulate-consenting': [press('consent:accept'), 'privacy.remembered'],
    'accumulate-remembered': [text('tích điểm TIVI000000201'), 'accumulate.summary'],
    'accumulate-offering-known-phone': [text('0867123457'), 'accumulate.summary'],
    'redeem-asking-gift': [press('gift:DAUMAY01'), 'identity.proofNeeded'],
    'redeem-asking-phone': [shares, 'redeem.summary'],
    'redeem-confirming': [press('confirm'), 'redeem.done'],
    'redeem-consenting': [press('consent:decline'), 'privacy.declined'],
    'history-asking-phone': [shares, 'history.page'],
    'history-asking-type': [press('history:gift'), 'history.page'],
    'history-asking-period': [press('period:all'), 'history.page'],
    'history-browsing': [press('next'), 'history.page'],
    'idle-welcomed': [press('accumulate'), 'accumulate.askCode'],
    'redemption-checking': ['wakes', 'operation.resolved.done'],
    'redemption-watching': ['wakes', 'operation.escalated'],
    'escalation-escalated': [asksStatus, 'operation.status'],
  };

test.each([
  ['of a version that no release can read any more', { v: 4 }],
  ['without a version', {}],
])('a body %s is not read', (_, version) => {
  const [, message] =
    [...readStoredSamples('bodies', VERSION)].find(([name]) => name.startsWith('message')) ?? [];
  const { version: __, ...body } = message ?? {};
  expect(readMessage({ ...body, version: VERSION })).toEqual(body);
  expect(() => readMessage({ ...body, ...version })).toThrow();
});

test('a body of a newer version is left to newer processes', () => {
  expect(() => readMessage({ version: VERSION + 1 })).toThrow(NewerVersion);
});

const LATE_MS = 31 * 60_000;

const VERSIONS = Array.from({ length: VERSION - BEFORE_RELEASE + 1 }, (_, at) => BEFORE_RELEASE + at);

const isComplete = (name: string) => name.includes('-complete-');
const current = new Map(
  SAMPLE_KINDS.flatMap((kind) => [...readStoredSamples(kind, VERSION)]).filter(([name]) => !isComplete(name)),
);

/** A sample as this version stores it: its own sample of that name, or the same fields. */
const asStoredNow = (name: string, { v: _, ...body }: Record<string, unknown>) =>
  current.get(name) ?? { ...body, version: VERSION };

describe.each(VERSIONS)('what version %i stored (0: before the first release)', (version) => {
  const states = [...readStoredSamples('states', version)];
  const bodies = [...readStoredSamples('bodies', version)];

  test.each([...states, ...bodies])('%s is read, and loses nothing', (name, body) => {
    expect(rewritten(name, body)).toEqual(asStoredNow(name, body));
  });

  test.each(states.filter(([name]) => name in NEXT))('the customer of %s goes on', (name, sample) => {
    const [next, key] = NEXT[name] ?? ['wakes', 'a line of NEXT'];
    const { state, origin } = readStored(JSON.stringify(sample), readState);
    if (origin === null) throw new Error('nobody is there');
    const chat = new Dialogue(origin.sender);
    chat.state = state;
    chat.nowMs = state.lastMessageMs + (next === 'wakes' ? LATE_MS : 1000);
    chat.answers = (effect) =>
      effect.kind === 'check'
        ? { kind: 'checked', operation: effect.operation, found: 'applied' }
        : succeed(effect);
    if (next === 'wakes') chat.wake();
    else chat.send(next(chat));
    expect(chat.keys).toContain(key);
    expect(chat.keys).not.toContain('choice.expired');
  });

  test('every state that a dialogue reached can take its next step', () => {
    const reached = states.map(([name]) => name).filter((name) => !isComplete(name));
    expect(reached.toSorted()).toEqual(Object.keys(NEXT).toSorted());
  });

  test.each(states)('a customer in %s gets an answer', (_, sample) => {
    const { state, origin } = readStored(JSON.stringify(sample), readState);
    const chat = new Dialogue(origin?.sender);
    chat.state = state;
    chat.nowMs = state.lastMessageMs + 1000;
    chat.answers = succeed;
    expect(chat.send({ kind: 'text', text: 'menu' }).keys).not.toEqual([]);
  });

  test.each(bodies.filter(([name]) => name.includes('message')))('%s is answered', (_, body) => {
    const { message, sender } = readMessage(body);
    const { keys } = new Dialogue(sender).send(message);
    // Staff speak of what this customer does not have, and a group gets one answer an hour.
    if (!['person', 'settle', 'group'].includes(message.kind)) expect(keys).not.toEqual([]);
  });

  test.each(bodies.filter(([name]) => name.startsWith('intent')))('%s says what to look up', (_, body) => {
    const { lookup } = readIntent(body).body;
    expect(lookup).toMatchObject({ kind: expect.any(String), code: expect.any(String) });
  });
});
