import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { VERSION } from '../../src/conversation/state.ts';
import { readIntent, readMessage, readStored } from '../../src/engine/messages.ts';
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
        'version: docs/recipes/stored.md. (A new flow changes no version.)',
    ).toMatchObject({ [name]: hash });
  });
});

test.each([...readStoredSamples('states', VERSION)])('%s is what this version would store', (name, body) => {
  expect(rewritten(name, body)).toEqual(body);
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
    'gathering-album': [text('menu'), 'menu'],
  };

test('a state of version 2 loses how many of a gift were asked for', () => {
  const stored = { ...newState(), draft: { code: 'LOA01', wanted: 3 } };
  expect(readState(stored, 2).state.draft).toEqual({ gift: 'LOA01' });
});

const LATE_MS = 31 * 60_000;

describe.each(Array.from({ length: VERSION }, (_, at) => at + 1))('what version %i stored', (version) => {
  test.each([...readStoredSamples('states', version)])('state: %s goes on', (name, sample) => {
    const [next, key] = NEXT[name] ?? [text(''), 'a line of NEXT'];
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

  test.each([...readStoredSamples('bodies', version)])('body: %s is read as it was written', (name, body) => {
    expect(rewritten(name, body)).toEqual({ ...Object(body), v: VERSION });
    if (name.startsWith('intent')) {
      const { lookup } = readIntent(body).body;
      expect(lookup).toMatchObject({ kind: name.replace('intent-', ''), baseline: [] });
    }
    if (!name.includes('message')) return;
    const { message, sender } = readMessage(body);
    expect(new Dialogue(sender).send(message).keys).not.toEqual([]);
  });
});
