import { describe, expect, it } from 'vitest';
import { Dialogue, TEAMS } from '../support/dialogue.ts';

/** A conversation that has just drawn a form, and the form's view. */
function createForm() {
  const dialogue = new Dialogue({ ...TEAMS, email: undefined });
  dialogue.text('tích điểm');
  return { dialogue, view: dialogue.question.view };
}

const filled = { code: 'TIVI000000017', phone: '0912345678', email: '' };

describe('a form', () => {
  it('leads to the summary, its empty optional field left out', () => {
    const { dialogue, view } = createForm();
    expect(dialogue.question.form?.map(({ slot }) => slot)).toEqual(['code', 'phone', 'email']);
    dialogue.send({ kind: 'form', ...filled, view });
    expect(dialogue.keys).toEqual(['accumulate.summary']);
    expect(dialogue.state.draft.email).toBeNull();
  });

  it.each([
    ['zero-width characters', 'TIVI0000\u200b00017 TIVI000000017'],
    ['bidi marks', '\u202eTIVI000000017\u202c'],
    ['quotes', '“TIVI000000017”, "TIVI000000017"'],
  ])('takes codes as a reader sees them, without %s', (_, code) => {
    const { dialogue, view } = createForm();
    dialogue.send({ kind: 'form', ...filled, code, view });
    expect(dialogue.keys).toEqual(['accumulate.summary']);
    expect(dialogue.state.draft.codes).toEqual(['TIVI000000017']);
  });

  it('counts once, whatever the message is called', () => {
    const { dialogue, view } = createForm();
    dialogue.send({ kind: 'form', ...filled, view });
    const before = dialogue.state;
    dialogue.send({ kind: 'form', ...filled, view });
    expect(dialogue.keys).toEqual(['choice.expired']);
    const { shown: _, ...step } = { shown: true, ...before.step };
    expect(dialogue.state).toEqual({ ...before, step });
  });

  it('without a view is what staff send: it answers the live question', () => {
    const { dialogue } = createForm();
    dialogue.send({ kind: 'form', ...filled });
    expect(dialogue.keys).toEqual(['accumulate.summary']);
  });
});

describe('a form with faults', () => {
  const submitted = (form: { code: string; phone: string; email: string }) => {
    const { dialogue, view } = createForm();
    return dialogue.send({ kind: 'form', ...form, view });
  };
  const fields = (chat: Dialogue) =>
    chat.question.form?.map(({ slot, value, reason }) => [slot, value, reason?.key]);

  it('says one by its field, and comes again as it was filled in', () => {
    const chat = submitted({ code: 'TIVI000000017', phone: '091', email: '' });
    expect(chat.keys).toEqual(['phone.short', 'accumulate.askPhone']);
    expect(fields(chat)).toEqual([
      ['code', 'TIVI000000017', undefined],
      ['phone', '091', 'phone.short'],
      ['email', undefined, undefined],
    ]);
  });

  it('says each of several by its field, in one message', () => {
    const chat = submitted({ code: 'TIVI000000017', phone: '091', email: 'minh@' });
    expect(chat.keys).toEqual(['form.faults', 'accumulate.askPhone']);
    expect(chat.replies[0]?.lines).toEqual([{ key: 'phone.short' }, { key: 'email.shape' }]);
    expect(fields(chat)).toEqual([
      ['code', 'TIVI000000017', undefined],
      ['phone', '091', 'phone.short'],
      ['email', 'minh@', 'email.shape'],
    ]);
    const all = submitted({ code: 'abc', phone: '867123456', email: 'tơi@gmail.com' });
    expect(all.replies[0]?.lines).toEqual([
      { key: 'code.short' },
      { key: 'phone.leadingZero.form' },
      { key: 'email.vietnamese' },
    ]);
  });

  it('says what was left blank', () => {
    const chat = submitted({ code: '', phone: ' ', email: '' });
    expect(chat.replies[0]?.lines).toEqual([{ key: 'code.wanted' }, { key: 'phone.wanted' }]);
    expect(fields(chat)).toEqual([
      ['code', undefined, 'code.wanted'],
      ['phone', undefined, 'phone.wanted'],
      ['email', undefined, undefined],
    ]);
    const one = submitted({ code: '', phone: '0912345678', email: 'minh@example.vn' });
    expect(one.keys).toEqual(['code.wanted', 'accumulate.askCode']);
    expect(fields(one)).toEqual([
      ['code', undefined, 'code.wanted'],
      ['phone', '0912345678', undefined],
      ['email', 'minh@example.vn', undefined],
    ]);
  });

  it('is right once what was wrong is corrected; what is changed along takes the place of what it was', () => {
    const chat = submitted({ code: 'TIVI000000017', phone: '091', email: 'minh@' });
    const { view } = chat.question;
    chat.send({ kind: 'form', code: 'TIVI000000018', phone: '0912345678', email: 'minh@example.vn', view });
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(chat.state.draft).toMatchObject({
      codes: ['TIVI000000018'],
      phone: { value: '+84912345678' },
      email: { value: 'minh@example.vn' },
    });
  });

  it('keeps the right codes of a field beside a wrong one', () => {
    const codes = 'TIVI000000017 TIVIươ8b98pfg';
    const chat = submitted({ code: codes, phone: '0912345678', email: '' });
    expect(chat.question.form?.[0]).toMatchObject({ slot: 'code', value: codes });
    expect(chat.state.draft.codes).toEqual(['TIVI000000017']);
  });

  it('may be answered by words all the same', () => {
    const chat = submitted({ code: 'TIVI000000017', phone: '091', email: 'minh@' }).text('0912345678');
    expect(chat.keys).toEqual(['accumulate.askEmail']);
  });
});
