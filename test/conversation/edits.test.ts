import { describe, expect, it } from 'vitest';
import { Dialogue, SETTINGS, TELEGRAM } from '../support/dialogue.ts';

const A = 'TIVI000000301';
const B = 'TULANH000000303';
const MINE = '0867123456';
const OTHER = '0912345678';

/** A shop whose messages have ids. */
const start = () => {
  const shop = new Dialogue(TELEGRAM, { ...SETTINGS, handover: true });
  return Object.assign(shop, {
    write: (ref: string, text: string) => shop.send({ kind: 'text', text, ref }),
    edit: (of: string, text: string) => shop.send({ kind: 'edit', of, text }),
    remove: (of: string) => shop.send({ kind: 'edit', of }),
  });
};
const operationOf = ({ state: { step } }: Dialogue) =>
  step.at === 'confirming' ? step.operation : undefined;

describe('An edited message', () => {
  it('corrects what it gave: the summary comes anew, and the button of the older one does nothing', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A}`);
    shop.write('2', OTHER);
    shop.write('3', 'minh@example.vn');
    const first = operationOf(shop);
    expect(first).toBeDefined();
    shop.edit('2', MINE);
    expect(shop.keys).toEqual(['edit.heard', 'accumulate.summary']);
    expect(shop.state.draft).toMatchObject({ codes: [A], phone: { value: '+84867123456' } });
    expect(operationOf(shop)).not.toBe(first);
    shop.send({ kind: 'choice', choice: `confirm:${first}` });
    expect(shop.keys).toEqual(['choice.expired']);
  });

  it('corrects the code and the phone of one message, each once, also twice in a row', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A} ${OTHER} minh@example.vn`);
    shop.edit('1', `tích điểm ${B} ${OTHER} minh@example.vn`);
    expect(shop.state.draft).toMatchObject({ codes: [B], phone: { value: '+84912345678' } });
    shop.edit('1', `tích điểm ${B} ${MINE}`);
    expect(shop.state.draft).toMatchObject({ codes: [B], phone: { value: '+84867123456' } });
    expect(shop.state.draft.email).toBeUndefined();
  });

  it('takes back what its new text does not say; other messages keep what they gave', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A}`);
    shop.write('2', B);
    shop.edit('1', 'cảm ơn shop');
    expect(shop.state.draft.codes).toEqual([B]);
  });

  it('corrects a value in doubt, and what was set aside for another flow', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A}`);
    shop.write('2', OTHER);
    shop.write('3', 'lịch sử tích điểm');
    expect(shop.state.parked).toHaveLength(1);
    shop.edit('2', MINE);
    expect(JSON.stringify(shop.state)).not.toContain('912345678');
  });

  it('is read as a new one if it gave nothing and nothing was said after it; no yes in it confirms', () => {
    const shop = start();
    shop.write('1', 'tích điểm');
    shop.write('2', 'mã của tôi đâu rồi nhỉ');
    shop.edit('2', A);
    expect(shop.state.draft.codes).toEqual([A]);
    shop.write('3', `${OTHER} minh@example.vn`);
    const before = operationOf(shop);
    shop.edit('1', 'đồng ý');
    expect(shop.keys[0]).toBe('edit.again');
    expect(operationOf(shop)).toBe(before);
  });

  it('changes nothing that is booked, and the reply says so', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A} ${OTHER} minh@example.vn`);
    shop.write('2', 'đồng ý');
    expect(shop.state.operations).toMatchObject([{ status: 'done' }]);
    shop.edit('1', `tích điểm ${A} ${MINE}`);
    expect(shop.replies[0]).toMatchObject({ key: 'edit.again', context: 'booked' });
    expect(JSON.stringify(shop.state)).not.toContain('867123456');
  });

  it('is erased with the draft: half an hour of silence leaves no value of it', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A} ${OTHER}`);
    expect(shop.state.said).toHaveLength(1);
    shop.later(31 * 60_000).wake();
    expect(shop.state.said).toBeUndefined();
    for (let n = 0; n < 30; n += 1) shop.write(`m${n}`, 'xin chào');
    expect(shop.state.said?.length).toBeLessThanOrEqual(10);
  });

  it('is shown to staff with the text before, a deleted one marked; its value is taken back, too', () => {
    const shop = start();
    shop.write('1', `tích điểm ${A} ${OTHER} minh@example.vn`);
    shop.write('2', 'gặp nhân viên');
    shop.write('3', 'mã sai');
    shop.edit('3', 'mã đúng');
    shop.edit('3', 'mã đúng');
    shop.write('4', 'thôi kệ');
    shop.remove('4');
    expect(shop.state.tickets?.at(-1)?.notes).toMatchObject([
      { text: 'mã đúng', before: 'mã sai', edited: true },
      { text: 'thôi kệ', deleted: true },
    ]);
    shop.edit('1', `tích điểm ${A} ${MINE}`);
    expect(shop.state.tickets?.at(-1)?.notes.at(-1)).toMatchObject({ edited: true });
    expect(shop.state.draft.phone).toBeUndefined();
  });
});

it('What a deleted message gave is asked for again', () => {
  const shop = start();
  shop.write('1', `tích điểm ${A}`);
  shop.write('2', `${OTHER} minh@example.vn`);
  shop.remove('2');
  expect(shop.replies[0]).toMatchObject({ key: 'edit.heard', context: 'deleted' });
  expect(shop.state).toMatchObject({ step: { at: 'asking', slot: 'phone' }, draft: { codes: [A] } });
});
