import { describe, expect, test } from 'vitest';
import type { Lookup } from '../../src/conversation/effect.ts';
import { Dialogue } from '../support/dialogue.ts';

const ALL = ['TIVI000000301', 'TIVI000000302', 'TIVI000000303'] as const;

/** The summary of these codes. */
const summed = (...said: readonly string[]): Dialogue =>
  new Dialogue().text(`tích điểm ${said.join(' ')} 0912345678 minh@example.vn`);

const called = (chat: Dialogue): string[] =>
  chat.effects.flatMap((effect) => (effect.kind === 'accumulate' ? [effect.code] : []));

const linesOf = (chat: Dialogue, key: string): unknown[] =>
  (chat.replies.find((reply) => reply.key === key)?.lines ?? [])
    .filter((line) => line.key === 'receipt.code')
    .map(({ context, params }) => [params?.code, context]);

describe('a confirmation that was cut off', () => {
  /** The first code has its outcome; the process died before the second one was called. */
  function cutOff(): Dialogue {
    const chat = summed(...ALL);
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';
    chat.journal[`${id}.1`] = { kind: 'applied', operation: `${id}.1` };
    return chat;
  }

  const lookupOf = (of: string): Lookup => ({
    ...{ kind: 'accumulate', by: { kind: 'phone', value: '+84912345678' }, code: of },
    ...{ fromMs: 0, deadlineMs: 0, baseline: [], locks: [] },
  });

  test('goes on with the code that has no outcome', () => {
    const chat = cutOff().press('confirm');
    expect(called(chat)).toEqual([ALL[1], ALL[2]]);
    expect(linesOf(chat, 'accumulate.done').map((line) => Array.isArray(line) && line[0])).toEqual(ALL);
  });

  test('goes on where AntCRM is out of reach or guesses are many, for the next code may have been called', () => {
    const chat = cutOff();
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';
    chat.journal[`${id}.2`] = { kind: 'unknown', operation: `${id}.2`, lookup: lookupOf(ALL[1]) };
    chat.serviceUp = false;
    chat.state = { ...chat.state, guesses: { refused: 6, atMs: chat.nowMs } };
    chat.press('confirm');
    expect(called(chat), 'what was surely not called is not called now').toEqual([]);
    expect(chat.keys).toContain('operation.checking');
  });

  test('goes on however long nobody was there to go on', () => {
    const chat = cutOff();
    const confirm = chat.question.choices?.[0]?.id ?? '';
    chat.later(60 * 60_000).send({ kind: 'choice', choice: confirm });
    expect(called(chat)).toEqual([ALL[1], ALL[2]]);
    expect(chat.keys[0]).toBe('accumulate.done');
  });

  test('expires like any other once what was gathered has lapsed', () => {
    const chat = cutOff()
      .later(31 * 60_000)
      .wake();
    expect(chat.state.draft).toEqual({});
    expect(chat.text('xin chào').keys[0]).toBe('conversation.expired');
    expect(chat.state.step).toEqual({ at: 'idle' });
  });
});
