import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { intentSchema } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import { VERSION } from '../../src/conversation/state.ts';
import {
  readIntent as readIntentBody,
  readMessage,
  readOutboxItem,
  readStored,
} from '../../src/engine/messages.ts';
import { newState, readState } from '../support/conversation.ts';
import { Dialogue, succeed } from '../support/dialogue.ts';
import { rewritten } from '../support/freeze.ts';
import { readStoredSamples } from '../support/samples.ts';
import { shapes } from '../support/shapes.ts';

/*
 * What lies in stores outlives the code that wrote it: its shapes, and what every version so far has written
 * (`test/support/freeze.ts`). What was frozen is never changed: a bot out there may have stored it.
 */

describe(`the shapes of version ${VERSION}`, () => {
  const shapesFile = new URL(`../bodies/${VERSION}-shapes.json`, import.meta.url);
  const frozen: unknown = JSON.parse(readFileSync(shapesFile, 'utf8'));

  // A new flow changes none.
  test.each(Object.entries(shapes()))('%s', (name, hash) => {
    expect(
      frozen,
      `The stored shape "${name}" is not the one of version ${VERSION}, which is in stores and at work: they could not ` +
        'read each other. Raise VERSION in src/conversation/state.ts, add the upgrade, freeze files of the new ' +
        'version: CONTRIBUTING.md, "What is stored". (A new flow changes no version.)',
    ).toMatchObject({ [name]: hash });
  });
});

const VERSIONS = Array.from({ length: VERSION }, (_, at) => at + 1);

test.each((['states', 'bodies'] as const).flatMap((kind) => [...readStoredSamples(kind, VERSION)]))(
  '%s is what this version would store',
  (name, body) => {
    expect(rewritten(name, body)).toEqual(body);
  },
);

const stateOf = (body: unknown) => readStored(JSON.stringify(body), readState);

const text = (said: string) => (): Message => ({ kind: 'text', text: said });
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
    'accumulate-asking-code-tried': [text('TIVI000000201'), 'accumulate.askPhone'],
    'accumulate-asking-phone': [text('0867123456'), 'accumulate.askEmail'],
    'accumulate-offering-mapped-phone': [press('use'), 'accumulate.askEmail'],
    'accumulate-asking-email': [press('skip'), 'accumulate.summary'],
    'accumulate-offering-email': [press('use'), 'accumulate.summary'],
    'accumulate-confirming': [press('confirm'), 'accumulate.done'],
    'accumulate-confirming-edit': [text('ừ'), 'cancel.done'],
    'accumulate-editing-code': [text('TIVI000000201'), 'accumulate.summary'],
    'accumulate-consenting': [press('consent:accept'), 'privacy.remembered'],
    'accumulate-remembered': [text('tích điểm TIVI000000201'), 'accumulate.summary'],
    'accumulate-offering-known-phone': [text('0867123457'), 'accumulate.summary'],
    'refused-asking-code': [text('TIVI000000201'), 'accumulate.summary'],
    'redeem-asking-gift': [press('gift:DAUMAY01'), 'identity.proofNeeded'],
    'redeem-asking-phone': [shares, 'redeem.summary'],
    'redeem-confirming': [press('confirm'), 'redeem.done'],
    'redeem-consenting': [press('consent:decline'), 'privacy.declined'],
    'redeem-consent-unanswered': [text('menu'), 'menu'],
    'history-asking-phone': [shares, 'history.page'],
    'history-asking-type': [press('history:gift'), 'history.page'],
    'history-asking-period': [press('period:all'), 'history.page'],
    'history-browsing': [press('next'), 'history.page'],
    'history-second-page': [press('previous'), 'history.page'],
    'points-asking-phone': [shares, 'points.balance'],
    'points-consenting': [press('consent:accept'), 'privacy.remembered'],
    'points-declined': [text('điểm của tôi'), 'identity.proofNeeded'],
    'idle-welcomed': [press('accumulate'), 'accumulate.askCode'],
    'idle-with-phone': [text('tích điểm TIVI000000201'), 'accumulate.askEmail'],
    'idle-in-english': [text('/language'), 'language.ask'],
    'staff-redeem-confirming': [press('confirm'), 'redeem.done'],
    'redemption-checking': ['wakes', 'operation.resolved.done'],
    'redemption-watching': ['wakes', 'operation.escalated'],
    'escalation-escalated': [asksStatus, 'operation.status'],
    'accumulation-checking': ['wakes', 'operation.resolved.done'],
    'gathering-album': [text('menu'), 'menu'],
  };

test('a state of version 2 loses how many of a gift were asked for', () => {
  const stored = { ...newState(), draft: { code: 'LOA01', wanted: 3 } };
  expect(readState(stored, 2).draft).toEqual({ code: 'LOA01' });
});

const LATE_MS = 31 * 60_000;

describe.each(VERSIONS)('what version %i stored', (version) => {
  test.each([...readStoredSamples('states', version)])('state: %s goes on', (name, sample) => {
    const [next, key] = NEXT[name] ?? [text(''), 'a line of NEXT'];
    const { state, origin } = stateOf(sample);
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

  const stored = readStoredSamples('bodies', version);
  const bodies = (kind: string): string[] => [...stored.keys()].filter((name) => name.startsWith(kind));
  const contentOf = (name: string) => z.looseObject({}).parse(body(name));
  const body = (name: string): unknown => stored.get(name);

  test.each([...bodies('message'), 'letter-message'])('%s is answered', (name) => {
    const { message, sender, ...incoming } = readMessage(body(name));
    expect(contentOf(name)).toMatchObject({ sender, ...incoming, message });
    expect(new Dialogue(sender).send(message).keys).not.toEqual([]);
  });

  test.each(bodies('reply'))('%s can be sent', (name) => {
    const item = readOutboxItem(body(name));
    expect(contentOf(name)).toMatchObject(item);
    expect(item.kind).toBe('reply');
  });

  test('a hold to give back is one still', () => {
    const { customer, operation, record } = contentOf('unlock-3');
    const unlock = { kind: 'unlock', customer, operation, record };
    expect(readOutboxItem(body('unlock-3'))).toEqual(unlock);
  });

  test.each(bodies('intent'))('%s says what to look up', (name) => {
    const { lookup } = intentSchema.parse(readIntentBody(body(name)).body);
    expect(lookup).toMatchObject({ kind: name.replace('intent-', ''), baseline: [] });
  });

  test('the state of a letter is one still', () => {
    expect(stateOf(body('letter-state')).state.operations).toHaveLength(1);
  });
});
