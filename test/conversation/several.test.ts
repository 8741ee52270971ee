import { describe, expect, test } from 'vitest';
import type { Effect, Lookup, Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, NOW, STAFF, succeed, TEAMS } from '../support/dialogue.ts';

const code = (n: number): string => `TIVI${String(n).padStart(9, '0')}`;
const codes = (many: number): string[] => Array.from({ length: many }, (_, at) => code(301 + at));
const ALL = codes(3);
const IDENTITY = '0912345678 minh@example.vn';

/** The summary of these codes. */
const summed = (...said: string[]): Dialogue =>
  new Dialogue().text(`tích điểm ${said.join(' ')} ${IDENTITY}`);

const called = (chat: Dialogue): string[] =>
  chat.effects.flatMap((effect) => (effect.kind === 'accumulate' ? [effect.code] : []));

/** AntCRM answers each code in turn; what is not listed succeeds. */
function answering(chat: Dialogue, plan: Readonly<Record<string, Outcome['kind']>>): Dialogue {
  chat.answers = (effect: Effect): Outcome => {
    if (effect.kind !== 'accumulate') return succeed(effect);
    const { operation } = effect;
    switch (plan[effect.code]) {
      case 'refused':
        return { kind: 'refused', operation };
      case 'unavailable':
        return { kind: 'unavailable', operation };
      case 'unknown':
        return {
          kind: 'unknown',
          operation,
          lookup: {
            kind: 'accumulate',
            by: { kind: 'phone', value: '+84912345678' },
            code: effect.code,
            fromMs: NOW,
            deadlineMs: NOW,
            baseline: [],
            locks: [],
          },
        };
      default:
        return succeed(effect);
    }
  };
  return chat;
}

const linesOf = (chat: Dialogue, key: string): unknown[] =>
  (chat.replies.find((reply) => reply.key === key)?.lines ?? [])
    .filter((line) => line.key === 'receipt.code')
    .map(({ context, params }) => [params?.code, context]);

describe('several codes', () => {
  test('of one message are confirmed once and called in order, each as an operation of its own', () => {
    const chat = summed(...ALL);
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(
      chat.question.lines?.filter(({ key }) => key === 'summary.code').map(({ params }) => params?.code),
    ).toEqual(ALL);
    const confirm = chat.question.choices?.[0]?.id ?? '';
    const id = confirm.slice('confirm:'.length);
    chat.press('confirm');
    expect(chat.effects).toMatchObject(
      ALL.map((one, at) => ({ kind: 'accumulate', code: one, operation: `${id}.${at + 1}` })),
    );
    expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(chat.replies[0]).toMatchObject({ context: 'several', params: { done: 3, all: 3 } });
    expect(linesOf(chat, 'accumulate.done')).toEqual(ALL.map((one) => [one, 'scored']));
    expect(chat.replies[0]?.lines).toContainEqual({
      key: 'receipt.sum',
      context: undefined,
      params: { score: 300 },
    });
  });

  test('one by one keep the confirmation’s own id', () => {
    const chat = summed(code(301));
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length);
    expect(chat.press('confirm').effects).toMatchObject([{ operation: id }]);
  });

  test.each([
    ['scans in a row', (chat: Dialogue, one: string) => chat.send({ kind: 'start', payload: one })],
    ['messages in a row', (chat: Dialogue, one: string) => chat.text(one)],
    ['commands in a row', (chat: Dialogue, one: string) => chat.text(`tích điểm ${one}`)],
    ['“thêm mã …”', (chat: Dialogue, one: string) => chat.text(`thêm mã ${one} nữa`)],
    ['forms', (chat: Dialogue, one: string) => chat.send({ kind: 'form', code: one })],
  ])('are all kept: %s', (_, say) => {
    const chat = new Dialogue();
    for (const one of ALL) say(chat, one);
    expect(chat.keys.at(-1)).toBe('accumulate.askPhone');
    expect(chat.state.draft.codes).toEqual(ALL);
    chat.text('0912345678').text('bỏ qua').press('confirm');
    expect(called(chat)).toEqual(ALL);
  });

  test('are added at the e-mail question and at the summary, too', () => {
    const chat = new Dialogue().text(`tích điểm ${code(301)} 0912345678`);
    expect(chat.text(code(302)).keys).toEqual(['codes.kept', 'accumulate.askEmail']);
    expect(chat.replies[0]).toMatchObject({
      params: { count: 2, most: 10 },
      lines: codes(2).map((one) => ({ params: { code: one } })),
    });
    expect(chat.text('bỏ qua').text(code(303)).keys).toEqual(['accumulate.summary']);
    expect(chat.send({ kind: 'start', payload: code(304) }).keys).toEqual(['accumulate.summary']);
    expect(called(chat.press('confirm'))).toEqual(codes(4));
  });

  test('said twice are called once', () => {
    const chat = summed(code(301), code(302), code(301)).text(code(302));
    expect(called(chat.press('confirm'))).toEqual(codes(2));
  });

  test('are ten at most, and more is said', () => {
    const chat = new Dialogue().text(`tích điểm ${codes(12).join(' ')}`);
    expect(chat.keys).toEqual(['codes.tooMany', 'codes.kept', 'accumulate.askPhone']);
    expect(chat.replies[0]?.params).toEqual({ most: 10, codes: `${code(311)}, ${code(312)}` });
    expect(chat.text(code(400)).keys).toContain('codes.tooMany');
    expect(called(chat.text(IDENTITY).press('confirm'))).toEqual(codes(10));
  });

  test('of a form are read from one field', () => {
    const chat = new Dialogue(TEAMS).text('tích điểm');
    chat.send({ kind: 'form', code: `${code(301)}, ${code(302)};${code(303)}`, phone: '0912345678' });
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft.codes).toEqual(ALL);
  });

  test('of a form that are none come back, the others are kept', () => {
    const chat = new Dialogue(STAFF).send({
      kind: 'form',
      code: `${code(301)} TIVIươ8b98pfg`,
      phone: '0912345678',
    });
    expect(chat.state.draft.codes).toEqual([code(301)]);
    expect(chat.keys[0]).toBe('code.vietnamese');
    const blank = new Dialogue(STAFF).send({ kind: 'form', code: 'TIVI 000000301', phone: '0912345678' });
    expect(blank.keys).toEqual(['code.shape', 'accumulate.askCode']);
  });
});

describe('a code of several', () => {
  test('is left out by its button', () => {
    const chat = summed(...ALL).press('remove:2');
    expect(chat.keys).toEqual(['codes.removed', 'accumulate.summary']);
    expect(chat.replies[0]?.params).toEqual({ code: code(302) });
    expect(called(chat.press('confirm'))).toEqual([code(301), code(303)]);
  });

  test.each([`bỏ mã ${code(302)}`, `bỏ ${code(302)} đi`, 'bỏ mã 0302', `remove code ${code(302)}`])(
    'is left out by name: %s',
    (text) => {
      expect(summed(...ALL).text(text).state.draft.codes).toEqual([code(301), code(303)]);
      const asked = new Dialogue().text(ALL.join(' ')).text(text);
      expect(asked.keys).toEqual(['codes.removed', 'codes.kept', 'accumulate.askPhone']);
    },
  );

  test.each([`không lấy ${code(302)}`, `not ${code(302)}`])(
    'is left out by a no that names it: %s',
    (text) => {
      expect(summed(...ALL).text(text).state.draft.codes).toEqual([code(301), code(303)]);
    },
  );

  test.each([`chỉ lấy ${code(302)} thôi`, `giữ ${code(302)} thôi`, `only ${code(302)}`])(
    'is left out where another one alone is kept: %s',
    (text) => {
      expect(summed(...ALL).text(text).state.draft.codes).toEqual([code(302)]);
    },
  );

  test('has to be named', () => {
    expect(summed(...ALL).text('bỏ mã').keys).toEqual(['codes.which', 'accumulate.summary']);
  });

  test('was the last: another one is asked for', () => {
    const chat = summed(code(301)).text('bỏ mã');
    expect(chat.keys).toEqual(['codes.removed', 'accumulate.askCode']);
    expect(chat.text(code(302)).keys).toEqual(['accumulate.summary']);
  });

  test('begins nothing by being taken away', () => {
    expect(new Dialogue().text(`bỏ mã ${code(301)}`).keys).toEqual(['cancel.nothing']);
  });

  test('takes the place of the only one where that is corrected', () => {
    expect(summed(code(301)).press('edit:code').text(code(302)).state.draft.codes).toEqual([code(302)]);
    expect(summed(code(301)).text(`sửa mã ${code(302)}`).state.draft.codes).toEqual([code(302)]);
  });

  test('that follows a short one may have been meant by it', () => {
    const asked = (): Dialogue => new Dialogue().text('tích điểm C0-1').text(code(301));
    expect(asked().keys).toEqual(['code.offer']);
    expect(asked().press('use').keys).toEqual(['accumulate.askPhone']);
    expect(asked().press('use').state.draft.codes).toEqual([code(301)]);
    expect(asked().text('đúng rồi').state.draft.codes).toEqual([code(301)]);
    expect(asked().press('keep').state.draft.codes).toEqual(['C0-1', code(301)]);
  });
});

describe('the result of several codes', () => {
  test('names what was refused and what was not', () => {
    const chat = answering(summed(...ALL), { [code(302)]: 'refused' }).press('confirm');
    expect(chat.keys).toEqual(['accumulate.partly', 'privacy.consent']);
    expect(chat.replies[0]).toMatchObject({ params: { done: 2, all: 3 } });
    expect(linesOf(chat, 'accumulate.partly')).toEqual([
      [code(301), 'scored'],
      [code(302), 'refused'],
      [code(303), 'scored'],
    ]);
    expect(chat.state.guesses).toBeUndefined();
  });

  test('that all were refused asks for other codes', () => {
    const plan = Object.fromEntries(ALL.map((one) => [one, 'refused' as const]));
    const chat = answering(summed(...ALL), plan).press('confirm');
    expect(chat.keys).toEqual(['accumulate.refused', 'accumulate.askCode']);
    expect(linesOf(chat, 'accumulate.refused')).toEqual(ALL.map((one) => [one, 'refused']));
    expect(chat.state.guesses?.refused).toBe(3);
    expect(chat.text(code(400)).keys).toEqual(['accumulate.summary']);
  });

  test('goes on behind one whose outcome is unknown, which is told when it is known', () => {
    const chat = answering(summed(...ALL), { [code(302)]: 'unknown' }).press('confirm');
    expect(called(chat)).toEqual(ALL);
    expect(chat.keys).toEqual(['accumulate.done', 'operation.checking', 'privacy.consent']);
    const reference = chat.replies[1]?.params?.reference;
    expect(reference).toMatch(/\.2$/);
    chat.answers = (effect) => ({
      kind: 'checked',
      operation: effect.kind === 'check' ? effect.operation : '',
      found: 'applied',
      receipt: { score: 100, what: 'Tivi' },
    });
    expect(chat.later(6000).wake().keys).toEqual(['operation.resolved.done']);
    expect(chat.replies[0]).toMatchObject({
      params: { reference },
      lines: [{ key: 'receipt.code', context: 'scored', params: { code: code(302), score: 100 } }],
    });
  });

  test('names what was not tried any more because there were too many guesses', () => {
    const all = codes(7);
    const plan = Object.fromEntries(all.map((one) => [one, 'refused' as const]));
    const chat = answering(summed(...all), plan).press('confirm');
    expect(called(chat)).toEqual(codes(5));
    expect(chat.keys).toEqual(['accumulate.refused', 'abuse.tooManyAttempts']);
    expect(linesOf(chat, 'accumulate.refused').slice(5)).toEqual([
      [code(306), 'untried'],
      [code(307), 'untried'],
    ]);
  });

  test('names what was not tried any more because AntCRM went away, and offers it again', () => {
    const chat = answering(summed(...ALL), { [code(302)]: 'unavailable' });
    const first = chat.question.choices?.[0]?.id;
    chat.press('confirm');
    expect(called(chat)).toEqual(codes(2));
    expect(chat.keys).toEqual(['accumulate.partly', 'service.unavailable', 'accumulate.summary']);
    expect(linesOf(chat, 'accumulate.partly')).toEqual([
      [code(301), 'scored'],
      [code(302), 'untried'],
      [code(303), 'untried'],
    ]);
    expect(chat.last?.settled).toEqual([`${first?.slice('confirm:'.length)}.2`]);
    answering(chat, {}).press('confirm');
    expect(called(chat).slice(2)).toEqual([code(302), code(303)]);
    expect(chat.keys[0]).toBe('accumulate.done');
  });

  test('is that nothing was tried where AntCRM is away from the beginning', () => {
    const chat = answering(summed(...ALL), { [code(301)]: 'unavailable' }).press('confirm');
    expect(chat.keys).toEqual(['service.unavailable', 'accumulate.summary']);
    expect(chat.state.draft.codes).toEqual(ALL);
  });

  test('is told by the reference of all, and of each', () => {
    const chat = answering(summed(...ALL), { [code(302)]: 'refused' });
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';
    chat.press('confirm').press('consent:decline');
    const whole = ['scored', 'refused', 'scored'];
    for (const text of [id, 'trạng thái', `trạng thái ${id}`]) {
      expect(chat.text(text).replies[0]).toMatchObject({
        key: 'operation.status',
        context: 'several',
        params: { reference: id },
        lines: whole.map((context) => ({ context })),
      });
    }
    expect(chat.text(`${id}.2`).replies[0]).toMatchObject({ key: 'operation.status', context: 'refused' });
    expect(summed(code(500)).text(id).keys).not.toContain('operation.status');
  });

  test('stays known behind the next confirmation', () => {
    const chat = summed(...codes(10));
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';
    chat.press('confirm').press('consent:accept').text(code(400)).press('confirm');
    expect(chat.keys).toEqual(['accumulate.done']);
    expect(chat.text(id).replies[0]?.lines).toHaveLength(10);
  });
});

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
    expect(called(chat)).toEqual([code(302), code(303)]);
    expect(linesOf(chat, 'accumulate.done').map((line) => Array.isArray(line) && line[0])).toEqual(ALL);
  });

  test('goes on where AntCRM is out of reach or guesses are many, for the next code may have been called', () => {
    const chat = cutOff();
    const id = chat.question.choices?.[0]?.id.slice('confirm:'.length) ?? '';
    chat.journal[`${id}.2`] = { kind: 'unknown', operation: `${id}.2`, lookup: lookupOf(code(302)) };
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
    expect(called(chat)).toEqual([code(302), code(303)]);
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
