import { describe, expect, test } from 'vitest';
import type { Lookup } from '../../src/conversation/effect.ts';
import { Dialogue, NOW } from '../support/dialogue.ts';

const CODES = ['TIVI000000301', 'TIVI000000302', 'TIVI000000303'] as const;
const LOOKUP: Lookup = {
  kind: 'accumulate',
  by: { kind: 'phone', value: '+84912345678' },
  code: CODES[1],
  fromMs: NOW,
  deadlineMs: NOW,
  baseline: [],
  locks: [],
};

/** The journal has an intent of this operation, or of none. */
function remembering(chat: Dialogue, called: string | undefined, lookup = LOOKUP): Dialogue {
  if (called !== undefined) chat.journal[called] = { kind: 'unknown', operation: called, lookup };
  return chat;
}

const idOf = (chat: Dialogue): string => chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';

function summary(...codes: readonly string[]): { chat: Dialogue; id: string } {
  const chat = new Dialogue().text(`tích điểm ${codes.join(' ')} 0912345678 minh@example.vn`);
  return { chat, id: idOf(chat) };
}

/** Of three codes the first ones were called, and how that ended is known. */
function cutOff(many = 1): { chat: Dialogue; id: string } {
  const { chat, id } = summary(...CODES);
  for (let n = 1; n <= many; n++) chat.journal[`${id}.${n}`] = { kind: 'applied', operation: `${id}.${n}` };
  return { chat, id };
}

const linesOf = (chat: Dialogue): unknown[] =>
  chat.replies.flatMap(({ lines = [] }) =>
    lines.flatMap(({ key, context, params }) => (key === 'receipt.code' ? [[params?.code, context]] : [])),
  );

describe('a message that will never be answered', () => {
  test('is apologised for, and all stays as it was', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000301');
    const { step, draft } = chat.state;
    expect(chat.fail().keys).toEqual(['turn.failed']);
    expect(chat.state).toMatchObject({ step, draft });
    expect(chat.effects).toEqual([]);
  });

  test('leaves the button alive where nothing was called', () => {
    const { chat, id } = summary(CODES[0]);
    expect(remembering(chat, undefined).fail().keys).toEqual(['turn.failed']);
    chat.send({ kind: 'choice', choice: `confirm:${id}` });
    expect(chat.calls).toMatchObject([{ operation: id }]);
    expect(chat.keys[0]).toBe('accumulate.done');
  });

  test('and that may have called is checked like any other without an outcome', () => {
    const { chat, id } = summary(CODES[1]);
    expect(remembering(chat, id).fail().keys).toEqual(['operation.checking']);
    expect(chat.state).toMatchObject({
      step: { at: 'idle' },
      operations: [{ id, status: 'checking', lookup: LOOKUP }],
    });
    expect(chat.last?.settled).toBeUndefined();
    // The confirmation is over: nothing can be said of it that is not so.
    expect(chat.text('huỷ').keys).toEqual(['cancel.nothing']);
  });

  test('and that may have redeemed, too', () => {
    const chat = new Dialogue().shareOwnPhone().text('đổi đầu máy');
    const id = idOf(chat);
    const lookup: Lookup = { ...LOOKUP, kind: 'redeem', code: 'DAUMAY01', locks: ['customer:475'] };
    expect(remembering(chat, id, lookup).fail().keys).toEqual(['operation.checking']);
    expect(chat.text('đổi loa').keys).toEqual(['operation.busy']);
  });
});

describe('several codes that were cut off for good', () => {
  test('are each told: done, being checked, not tried', () => {
    const { chat, id } = cutOff();
    expect(remembering(chat, `${id}.2`).fail().keys).toEqual([
      'accumulate.partly',
      'operation.checking',
      'turn.failed',
      'accumulate.summary',
    ]);
    expect(linesOf(chat)).toEqual([
      [CODES[0], 'done'],
      [CODES[1], 'checking'],
      [CODES[2], 'untried'],
    ]);
    expect(chat.replies[1]?.params).toEqual({ reference: `${id}.2` });
    expect(chat.state.draft.codes).toEqual([CODES[2]]);
    expect(idOf(chat)).not.toBe(id);
    chat.press('confirm');
    expect(chat.calls).toMatchObject([{ code: CODES[2] }]);
  });

  test('are offered again from the first that was not called', () => {
    const { chat, id } = cutOff();
    expect(remembering(chat, undefined).fail().keys).toEqual([
      'accumulate.partly',
      'turn.failed',
      'accumulate.summary',
    ]);
    expect(chat.last?.settled).toEqual([`${id}.1`]);
    expect(chat.state.draft.codes).toEqual([CODES[1], CODES[2]]);
  });

  test('are offered as they were where none was called', () => {
    const { chat, id } = summary(...CODES);
    expect(remembering(chat, undefined).fail().keys).toEqual(['turn.failed']);
    chat.send({ kind: 'choice', choice: `confirm:${id}` });
    expect(chat.calls).toHaveLength(3);
  });

  test('are over where the last one was the one that was called', () => {
    const { chat, id } = cutOff(2);
    const lookup = { ...LOOKUP, code: CODES[2] };
    expect(remembering(chat, `${id}.3`, lookup).fail().keys).toEqual([
      'accumulate.done',
      'operation.checking',
      'privacy.consent',
    ]);
    expect(linesOf(chat).at(-1)).toEqual([CODES[2], 'checking']);
  });

  test('say nothing that is not so when they are cancelled, or followed by another code', () => {
    const { chat, id } = cutOff();
    remembering(chat, `${id}.2`).fail();
    chat.text('TIVI000000400');
    expect(chat.state.draft.codes).toEqual([CODES[2], 'TIVI000000400']);
    expect(chat.text('huỷ').keys).toEqual(['cancel.done']);
    expect(chat.calls).toEqual([]);
  });
});

describe('a typed yes that a crash brings again', () => {
  const again = (chat: Dialogue): Dialogue => {
    chat.current = false;
    return chat.text('ok');
  };

  test('goes on where its call may have been made: the code is being checked, the others are called', () => {
    const { chat, id } = summary(...CODES);
    again(remembering(chat, `${id}.1`, { ...LOOKUP, code: CODES[0] }));
    expect(chat.keys.slice(0, 2)).toEqual(['accumulate.done', 'operation.checking']);
    expect(chat.calls).toMatchObject([{ code: CODES[1] }, { code: CODES[2] }]);
  });

  test('of one code is told that it is being checked', () => {
    const { chat, id } = summary(CODES[1]);
    expect(again(remembering(chat, id)).keys).toEqual(['operation.checking']);
    expect(chat.calls).toEqual([]);
  });

  test('takes the button where nothing was called', () => {
    const { chat } = summary(...CODES);
    expect(again(remembering(chat, undefined)).keys).toEqual(['confirm.press', 'accumulate.summary']);
    expect(chat.calls).toEqual([]);
  });
});

test('a call that no confirmation knows of any more is looked up, and told', () => {
  const chat = new Dialogue();
  chat.run({ kind: 'outcome', outcome: { kind: 'unknown', operation: 'GONE', lookup: LOOKUP } });
  expect(chat.keys).toEqual(['operation.checking']);
  expect(chat.state.operations).toMatchObject([{ id: 'GONE', status: 'checking', code: CODES[1] }]);
});

const called = (chat: Dialogue): string[] =>
  chat.effects.flatMap((effect) => (effect.kind === 'accumulate' ? [effect.code] : []));

describe('a confirmation that was cut off, and is pressed again', () => {
  test('goes on with the code that has no outcome', () => {
    const chat = cutOff().chat.press('confirm');
    expect(called(chat)).toEqual([CODES[1], CODES[2]]);
    expect(linesOf(chat).map((line) => Array.isArray(line) && line[0])).toEqual(CODES);
  });

  test('goes on where AntCRM is out of reach or guesses are many, for the next code may have been called', () => {
    const { chat, id } = cutOff();
    remembering(chat, `${id}.2`);
    chat.serviceUp = false;
    chat.state = { ...chat.state, guesses: { refused: 6, atMs: chat.nowMs } };
    chat.press('confirm');
    expect(called(chat), 'what was surely not called is not called now').toEqual([]);
    expect(chat.keys).toContain('operation.checking');
  });

  test('goes on however long nobody was there to go on', () => {
    const chat = cutOff().chat;
    const confirm = chat.question.choices?.[0]?.id ?? '';
    chat.later(60 * 60_000).send({ kind: 'choice', choice: confirm });
    expect(called(chat)).toEqual([CODES[1], CODES[2]]);
    expect(chat.keys[0]).toBe('accumulate.done');
  });

  test('expires like any other once what was gathered has lapsed', () => {
    const chat = cutOff()
      .chat.later(31 * 60_000)
      .wake();
    expect(chat.state.draft).toEqual({});
    expect(chat.text('xin chào').keys[0]).toBe('conversation.expired');
    expect(chat.state.step).toEqual({ at: 'idle' });
  });
});
