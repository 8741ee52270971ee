import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, NOW, STAFF, TEAMS } from '../support/dialogue.ts';

const HALF_HOUR_MS = 30 * 60_000;
const earning = () => new Dialogue().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
const PERSONAL = /912345678|867123456|minh@|TIVI0/;
const kept = (chat: Dialogue): string => JSON.stringify(chat.state);

/** Sleeps until the state wants to be woken, and wakes it. */
function sleeps(chat: Dialogue): Dialogue {
  const atMs = chat.last?.wakeAtMs;
  if (typeof atMs !== 'number') throw new Error('the state sleeps for good');
  chat.nowMs = atMs;
  return chat.wake();
}

describe('consent', () => {
  test('to an operation is its summary, which says what goes to whom and why', () => {
    expect(earning().question.lines?.map(({ key }) => key)).toEqual([
      'summary.code',
      'summary.phone',
      'summary.email',
      'summary.purpose',
    ]);
    const redeeming = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
    expect(redeeming.question.lines).toContainEqual({ key: 'summary.purpose', context: 'redeem' });
    const byStaff = new Dialogue(STAFF).text('tích điểm TIVI000000017 0912345678').press('skip');
    expect(byStaff.question.lines).toContainEqual({ key: 'summary.purpose', context: 'staff' });
  });

  test('to spending shows every identifier that the call may carry', () => {
    const chat = earning().press('confirm').press('consent:accept').text('đổi quà DAUMAY01').shareOwnPhone();
    expect(chat.question.lines?.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['summary.phone', 'summary.email']),
    );
    chat.press('confirm');
    expect(chat.effects.at(-1)).toMatchObject({ kind: 'redeem', also: { kind: 'email' } });
  });

  test('to being remembered is kept with its version, time and channel', () => {
    const chat = earning().press('confirm').later(5000).press('consent:accept');
    expect(chat.state.consent).toEqual({
      given: true,
      version: expect.any(Number),
      atMs: NOW + 5000,
      channel: 'telegram',
    });
    expect(chat.state.profile.email?.value).toBe('minh@example.vn');
  });

  test('is asked for once more when its text has a new meaning, and only then', () => {
    const chat = earning().press('confirm').press('consent:accept');
    const again = 'tích điểm TIVI000000018 0912345678 minh@example.vn';
    expect(chat.text(again).press('confirm').keys).toEqual(['accumulate.done']);
    chat.state = { ...chat.state, consent: { given: true, version: 0, atMs: NOW, channel: 'telegram' } };
    expect(chat.text(again).press('confirm').keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(kept(chat.press('consent:decline'))).not.toMatch(PERSONAL);
  });

  test('is not asked for what the channel tells each time anyway', () => {
    const chat = new Dialogue(TEAMS).text('đổi loa').press('confirm');
    expect(chat.keys).toEqual(['redeem.done']);
    expect(kept(chat)).not.toContain('garnacho@');
  });

  test('that is refused, or not given, leaves nothing of the flow', () => {
    expect(kept(earning().press('confirm').press('consent:decline'))).not.toMatch(PERSONAL);
    expect(kept(earning().press('confirm').text('menu'))).not.toMatch(PERSONAL);
    expect(kept(earning().text('huỷ'))).not.toMatch(PERSONAL);
  });
});

describe('a number for somebody else', () => {
  const remembered = () => earning().press('confirm').press('consent:accept');
  const forMother = () => remembered().text('TIVI000000018 cho mẹ 0912345699');

  test('gets the points without the customer’s own e-mail', () => {
    const chat = forMother();
    expect(chat.question.key).toBe('accumulate.summary');
    expect(JSON.stringify(chat.question.lines)).toContain('0912 345 699');
    expect(JSON.stringify(chat.question.lines)).not.toContain('summary.email');
    expect(chat.press('confirm').calls.at(-1)).toMatchObject({
      phone: { value: '+84912345699' },
      email: undefined,
    });
  });

  test('takes the place of the remembered one only where the customer says so', () => {
    const chat = forMother().press('confirm');
    expect(chat.keys).toEqual(['accumulate.done', 'privacy.consent']);
    expect(chat.question).toMatchObject({ context: 'other', params: { phone: '0912 345 699' } });
    const { profile } = remembered().state;
    expect(chat.press('consent:decline').state).toMatchObject({ profile, consent: { given: true } });

    const other = forMother().press('confirm').text('có');
    expect(other.state.profile.phone?.value).toBe('+84912345699');
  });

  test('is not remembered where the question is passed over, however often', () => {
    const chat = remembered();
    const { profile, consent } = chat.state;
    for (let n = 20; n < 24; n++) chat.text(`TIVI0000000${n} 0912345699`).press('confirm').text('menu');
    expect(chat.state).toMatchObject({ profile, consent });
    expect(chat.text('TIVI000000019').question.lines).toContainEqual({
      key: 'summary.phone',
      params: { phone: '0912 *** 678' },
    });
  });

  test('is nothing to ask about where it is proved: it is the customer’s', () => {
    const chat = remembered().text('TIVI000000018').press('edit:phone').shareOwnPhone();
    expect(chat.press('confirm').keys).toEqual(['accumulate.done']);
    expect(chat.state.profile.phone).toEqual({ value: '+84867123456', proved: true });
  });
});

describe('whoever walks away', () => {
  test.each([
    ['in the middle of a form', () => new Dialogue().text('tích điểm TIVI000000017 0912345678')],
    ['before a summary', earning],
    ['before the question whether to remember', () => earning().press('confirm')],
    ['with an offer open', () => new Dialogue().text('tích điểm TIVI000000017').text('01234567890')],
    ['from a page', () => new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone()],
    ['after sharing a phone', () => new Dialogue().shareOwnPhone()],
  ])('%s leaves nothing behind half an hour later, unheard', (_where, begin) => {
    const chat = begin();
    expect(chat.last?.wakeAtMs).toBe(chat.state.lastMessageMs + HALF_HOUR_MS + 1);
    sleeps(chat);
    expect(chat.replies).toEqual([]);
    expect(kept(chat)).not.toMatch(PERSONAL);
    expect(kept(chat)).not.toContain('84');
    expect(chat.last?.wakeAtMs).toBeNull();
  });

  test('is told politely, as if nothing had been erased', () => {
    const chat = earning();
    const button = chat.question;
    sleeps(chat).later(60_000);
    expect(chat.text('chào').keys[0]).toBe('conversation.expired');
    chat.send({ kind: 'choice', choice: button.choices?.[0]?.id ?? '', view: button.view });
    expect(chat.keys).toEqual(['choice.expired']);
  });

  test('from a page has left nothing unfinished', () => {
    const chat = new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone();
    const button = chat.question;
    sleeps(chat).later(60_000);
    expect(chat.text('chào').keys).toEqual(['welcome']);
    chat.send({ kind: 'choice', choice: button.choices?.[0]?.id ?? '', view: button.view });
    expect(chat.keys).toEqual(['choice.expired']);
  });

  test('is remembered who agreed to it', () => {
    const chat = earning().press('confirm').press('consent:accept').text('đổi quà');
    sleeps(chat);
    expect(chat.state.profile.phone?.value).toBe('+84912345678');
  });

  test('is not woken for an operation that has its result: its lookup is gone', () => {
    const chat = earning();
    chat.answers = (effect): Outcome =>
      effect.kind === 'check'
        ? { kind: 'checked', operation: effect.operation, found: 'none' }
        : {
            kind: 'unknown',
            operation: 'operation' in effect ? effect.operation : '',
            lookup: {
              ...{ kind: 'accumulate', by: { kind: 'phone', value: '+84912345678' }, code: 'TIVI000000017' },
              ...{ fromMs: NOW, deadlineMs: NOW, baseline: [], locks: [] },
            },
          };
    chat.press('confirm');
    while (chat.last?.wakeAtMs) sleeps(chat);
    expect(chat.state.operations).toMatchObject([{ status: 'notApplied' }]);
    expect(kept(chat)).not.toMatch(PERSONAL);
  });
});

describe('/privacy', () => {
  test('shows what is kept now, of the running flow, too', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0912345678').text('/privacy');
    expect(chat.question.lines).toContainEqual({ key: 'summary.phone', params: { phone: '0912 *** 678' } });
    const nothing = new Dialogue().text('/privacy').question;
    expect(nothing.lines).toContainEqual({ key: 'privacy.nothing' });
    expect(nothing.choices?.map(({ id }) => id)).not.toContain('forget');
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['forget']);
    const browsing = new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone().text('/privacy');
    expect(browsing.question.lines).toContainEqual({
      key: 'summary.phone',
      params: { phone: '0867 *** 456' },
    });
  });

  test('counts recent operations, and offers to erase them', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
    chat.press('consent:decline').text('/privacy');
    expect(chat.question.lines).toContainEqual({ key: 'privacy.recent', params: { recent: 1 } });
    expect(chat.question.choices?.map(({ id }) => id)).toEqual(['forget']);
    const nothing = chat.press('forget').text('/privacy').question;
    expect(nothing.lines).toContainEqual({ key: 'privacy.nothing' });
  });

  test('names the operations that wait for their result', () => {
    const chat = waiting();
    const reference = chat.state.operations[0]?.id;
    expect(chat.text('/privacy').question.lines).toContainEqual({
      key: 'privacy.operation',
      params: { reference },
    });
  });
});

/** A customer with a redemption of which nobody knows whether it was applied. */
function waiting(): Dialogue {
  const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
  chat.answers = (effect): Outcome => ({
    kind: 'unknown',
    operation: 'operation' in effect ? effect.operation : '',
    lookup: {
      ...{ kind: 'redeem', by: { kind: 'phone', value: '+84867123456' }, code: 'DAUMAY01' },
      ...{ fromMs: NOW, deadlineMs: NOW, baseline: [], locks: ['customer:475'] },
    },
  });
  return chat.press('confirm');
}

describe('/forget', () => {
  test('erases all in the same turn, and asks the store and the channel to', () => {
    const chat = earning().press('confirm').press('consent:accept').text('English').text('/forget');
    expect(chat.keys).toEqual(['privacy.erased']);
    expect(chat.question.context).toBeUndefined();
    expect(chat.last?.forget).toBe(true);
    const { locale, step, view, lastMessageMs, ...rest } = chat.state;
    expect(rest).toEqual({ draft: {}, profile: {}, operations: [] });
  });

  test('keeps an operation without an outcome until its result, says so, and then keeps nothing of it', () => {
    const chat = waiting().text('/forget');
    expect(chat.question).toMatchObject({ key: 'privacy.erased', context: 'open' });
    expect(chat.state.operations).toHaveLength(1);
    chat.answers = (effect): Outcome => ({
      kind: 'checked',
      operation: effect.kind === 'check' ? effect.operation : '',
      found: 'applied',
    });
    sleeps(chat);
    expect(chat.keys).toEqual(['operation.resolved.done']);
    expect(kept(chat)).not.toMatch(PERSONAL);
  });
});
