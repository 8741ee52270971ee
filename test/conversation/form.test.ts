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
