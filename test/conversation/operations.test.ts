import { describe, expect, test } from 'vitest';
import type { Effect, Lookup, Outcome } from '../../src/conversation/effect.ts';
import { Dialogue, NOW, SETTINGS, succeed } from '../support/dialogue.ts';

type Found = Extract<Outcome, { kind: 'checked' }>['found'];

/** A redeem whose answer was lost just now. */
function lost(): { chat: Dialogue; reference: string } {
  const chat = new Dialogue();
  const lookup: Lookup = {
    kind: 'redeem',
    by: { kind: 'phone', value: '+84867123456' },
    code: 'DAUMAY01',
    fromMs: NOW,
    deadlineMs: NOW,
    baseline: [],
    locks: ['customer:475'],
  };
  chat.answers = (effect) =>
    effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
  chat.text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
  return { chat, reference: chat.state.operations[0]?.id ?? '' };
}

/** Wakes when the state asks for it; the checks find `found`, one after the other. */
function checks(chat: Dialogue, ...found: Found[]): string[] {
  const keys: string[] = [];
  for (const one of found) {
    const wakeAtMs = chat.last?.wakeAtMs;
    if (typeof wakeAtMs !== 'number') throw new Error('no wake-up was asked for');
    chat.nowMs = wakeAtMs;
    chat.answers = (effect) => ({
      kind: 'checked',
      operation: effect.kind === 'check' ? effect.operation : '',
      found: one,
      ...(one === 'applied' && { receipt: { record: 'r9', score: 10, what: 'Đầu máy' } }),
    });
    keys.push(...chat.wake().keys);
  }
  return keys;
}

describe('an operation whose outcome is unknown', () => {
  test('is looked up at the configured times and told when it is found', () => {
    const { chat } = lost();
    expect(checks(chat, 'none')).toEqual([]);
    expect(chat.last?.wakeAtMs).toBe(NOW + 20_000);
    expect(checks(chat, 'applied')).toEqual(['operation.resolved.done']);
    expect(chat.last).toMatchObject({ wakeAtMs: null, unlock: [{ customer: 'customer:475', record: 'r9' }] });
    expect(chat.last?.settled).toHaveLength(1);
  });

  test('is kept with what its receipt tells, once done, but without the lookup and the id of the record', () => {
    const { chat } = lost();
    checks(chat, 'applied');
    const [operation] = chat.state.operations;
    expect(operation?.receipt).toEqual({ score: 10, what: 'Đầu máy' });
    expect(operation?.lookup).toBeUndefined();
  });

  test('is told as not applied at the last check but one, and watched until the last', () => {
    const { chat } = lost();
    expect(checks(chat, 'none', 'none', 'none')).toEqual([]);
    expect(checks(chat, 'none')).toEqual(['operation.resolved.notApplied']);
    expect(chat.last?.unlock).toHaveLength(1);
    expect(chat.last?.settled ?? []).toEqual([]);
    expect(chat.text('đổi quà').keys).toEqual(['redeem.askGift']);
    chat.text('huỷ');
    expect(chat.last?.wakeAtMs).toBe(NOW + 1_800_000);
    expect(checks(chat, 'none')).toEqual([]);
    expect(chat.last).toMatchObject({ wakeAtMs: null, settled: [expect.any(String)] });
    // The check held the customer once more: without this their next redemption would be busy for two hours.
    expect(chat.last?.unlock).toMatchObject([{ customer: 'customer:475' }]);
  });

  test('goes to staff when its record comes after "not applied" was told', () => {
    const { chat, reference } = lost();
    expect(checks(chat, 'none', 'none', 'none', 'none', 'applied')).toEqual([
      'operation.resolved.notApplied',
      'operation.escalated',
    ]);
    expect(chat.last).toMatchObject({ escalated: [reference], wakeAtMs: null });
  });

  test('goes to staff when several records could be its own, or none can be read', () => {
    expect(checks(lost().chat, 'several')).toEqual(['operation.escalated']);
    const unreadable = Array.from(SETTINGS.operationChecksMs, (): Found => 'unreadable');
    const { chat } = lost();
    expect(checks(chat, ...unreadable)).toEqual(['operation.escalated']);
    // For operators, who see what was looked up and what was not.
    expect(chat.state.operations).toMatchObject([{ checks: 5, unread: [0, 1, 2, 3, 4] }]);
  });

  test('is not told as not applied while the history cannot be read', () => {
    const { chat } = lost();
    expect(checks(chat, 'none', 'none', 'none', 'unreadable')).toEqual([]);
    expect(checks(chat, 'none')).toEqual(['operation.resolved.notApplied']);
    expect(chat.last).toMatchObject({ wakeAtMs: null, settled: [expect.any(String)] });
  });

  test('is told as refused when only failed records are found, not before a success must have shown', () => {
    const { chat, reference } = lost();
    expect(checks(chat, 'refused', 'refused', 'none')).toEqual([]);
    expect(checks(chat, 'refused')).toEqual(['operation.resolved.notApplied']);
    expect(chat.replies[0]?.context).toBe('refused');
    expect(chat.last?.unlock).toMatchObject([{ customer: 'customer:475' }]);
    expect(checks(chat, 'refused')).toEqual([]);
    expect(chat.state.operations).toMatchObject([{ id: reference, status: 'refused' }]);
    expect(checks(lost().chat, 'refused', 'applied')).toEqual(['operation.resolved.done']);
  });

  test('goes to staff when nothing can be told from what is found', () => {
    const undecided = Array.from(SETTINGS.operationChecksMs, (): Found => 'undecided');
    expect(checks(lost().chat, ...undecided)).toEqual(['operation.escalated']);
    const told = ['operation.resolved.notApplied', 'operation.escalated'];
    expect(checks(lost().chat, 'none', 'none', 'none', 'none', 'undecided')).toEqual(told);
    expect(checks(lost().chat, 'undecided', 'applied')).toEqual(['operation.resolved.done']);
  });

  test('done by an operator’s word still has its record to come, which is nobody else’s', () => {
    const { chat, reference } = lost();
    checks(chat, 'several');
    chat.send({ kind: 'settle', operation: reference, result: 'done' });
    expect(chat.last?.unlock).toMatchObject([
      { operation: reference, awaited: { code: 'DAUMAY01', deadlineMs: NOW } },
    ]);
    expect(JSON.stringify(chat.last?.unlock)).not.toContain('867123456');
  });

  test('answers to its reference, alone or with a command', () => {
    const { chat, reference } = lost();
    for (const text of [reference, reference.toLowerCase(), `/status ${reference}`, 'trạng thái']) {
      chat.text(text);
      expect(chat.keys, text).toEqual(['operation.status']);
      expect(chat.replies[0]?.context).toBe('checking');
    }
    expect(chat.text('/status AAAAAAAAAA').keys).toEqual(['operation.none']);
  });

  test('is settled by an operator', () => {
    const { chat, reference } = lost();
    checks(chat, 'several');
    chat.send({ kind: 'settle', operation: reference, result: 'done' });
    expect(chat.keys).toEqual(['operation.resolved.done']);
    expect(chat.last).toMatchObject({ settled: [reference], unlock: [{ customer: 'customer:475' }] });
    expect(chat.send({ kind: 'settle', operation: reference, result: 'not-applied' }).keys).toEqual([]);
  });

  test('whose outcome was never saved is settled by an operator, and its button is over', () => {
    for (const [result, key] of [
      ['done', 'operation.resolved.done'],
      ['not-applied', 'operation.resolved.notApplied'],
    ] as const) {
      const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
      const { view, choices = [] } = chat.question;
      const confirm = choices.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
      const operation = confirm.slice('confirm:'.length);
      chat.send({ kind: 'settle', operation, result, locks: ['customer:475'] });
      expect(chat.keys).toEqual([key]);
      expect(chat.last).toMatchObject({
        settled: [operation],
        unlock: [{ customer: 'customer:475', operation }],
      });
      expect(chat.send({ kind: 'choice', choice: confirm, view }).keys).toEqual(['choice.expired']);
      expect(chat.calls).toEqual([]);
      expect(chat.text(operation).keys).toEqual(['operation.status']);
    }
  });

  test('that the conversation does not know is settled by an operator, and its customer held no longer', () => {
    const chat = new Dialogue().text('đổi quà');
    const before = chat.state;
    const settle = { kind: 'settle', operation: 'AAAAAAAAAA', result: 'done' } as const;
    chat.send({ ...settle, locks: ['customer:475'] });
    expect(chat.keys).toEqual([]);
    expect(chat.state).toEqual(before);
    expect(chat.last).toMatchObject({
      settled: ['AAAAAAAAAA'],
      unlock: [{ customer: 'customer:475', operation: 'AAAAAAAAAA' }],
    });
    expect(chat.send(settle).last).toMatchObject({ settled: ['AAAAAAAAAA'] });
    expect(chat.last?.unlock ?? []).toEqual([]);
  });

  test('survives erasing everything else, and the answer says so', () => {
    const { chat, reference } = lost();
    chat.text('/forget');
    expect(chat.keys).toEqual(['privacy.erased']);
    expect(chat.replies[0]?.context).toBe('open');
    expect(chat.state.operations.map(({ id }) => id)).toEqual([reference]);
    expect(chat.state.profile).toEqual({});
    expect(checks(chat, 'applied')).toEqual(['operation.resolved.done']);
  });
});

describe('a code that is being checked', () => {
  const found = (effect: Effect): Outcome =>
    effect.kind === 'accumulate'
      ? {
          kind: 'unknown',
          operation: effect.operation,
          lookup: {
            kind: 'accumulate',
            by: { kind: 'phone', value: '+84912345678' },
            code: effect.code,
            fromMs: NOW,
            deadlineMs: NOW,
            baseline: [],
            locks: [],
          },
        }
      : succeed(effect);
  const checking = () => {
    const chat = new Dialogue();
    chat.answers = found;
    return chat.text('tích điểm TIVI000000017 0912345678 minh@example.vn').press('confirm');
  };

  test('is called no second time: it is said that it is being checked', () => {
    const chat = checking().text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(chat.keys).toEqual(['operation.checking']);
    expect(chat.state.step).toEqual({ at: 'idle' });
    expect(chat.calls).toHaveLength(1);
  });

  test('is left out of the next codes, and may be sent again once nothing was found', () => {
    const chat = checking().text('tích điểm TIVI000000017 TIVI000000018 0912345678 minh@example.vn');
    expect(chat.keys).toEqual(['operation.checking', 'accumulate.summary']);
    expect(chat.state.draft.codes).toEqual(['TIVI000000018']);
    chat.text('huỷ');
    expect(checks(chat, 'none', 'none', 'none', 'none')).toContain('operation.resolved.notApplied');
    chat.text('tích điểm TIVI000000017 0912345678 minh@example.vn');
    expect(chat.keys).toEqual(['accumulate.summary']);
  });
});

test('after a downtime the looks whose time has passed are not spent at once: AntCRM gets the time that was planned', () => {
  const { chat } = lost();
  chat.answers = (effect) =>
    effect.kind === 'check'
      ? { kind: 'checked', operation: effect.operation, found: 'unreadable' }
      : succeed(effect);
  chat.nowMs = NOW + 60 * 60_000;
  chat.wake();
  const [first = 0, second = 0] = SETTINGS.operationChecksMs;
  expect(chat.last?.wakeAtMs).toBe(chat.nowMs + second - first);
  expect(chat.keys).toEqual([]);
  chat.answers = (effect) =>
    effect.kind === 'check'
      ? { kind: 'checked', operation: effect.operation, found: 'applied' }
      : succeed(effect);
  chat.nowMs += second - first;
  expect(chat.wake().keys).toEqual(['operation.resolved.done']);
});
