import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { Dialogue, NOW, succeed, TELEGRAM } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

/*
 * What a typed yes does: it confirms an accumulation whose summary is the last thing that its writer was shown, and it
 * never confirms a redemption.
 */

const YES = ['có', 'ok', 'đồng ý', 'yes', 'chốt', '👍'];

/** `told`: what the writer knew; `false`: the message was written before the last answer came. */
type Move =
  | { readonly kind: 'text'; readonly text: string; readonly told: boolean }
  | { readonly kind: 'press'; readonly index: number; readonly dead: boolean }
  | { readonly kind: 'share' | 'wake' }
  | { readonly kind: 'later'; readonly ms: number };

const told = fc.boolean();
const text = (...texts: string[]): fc.Arbitrary<Move> =>
  fc.record({ kind: fc.constant('text' as const), text: fc.constantFrom(...texts), told });

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: text(...YES) },
  { weight: 3, arbitrary: text('tích điểm TIVI000000017 0912345678 minh@example.vn') },
  {
    weight: 5,
    arbitrary: text(
      'tích điểm TIVI000000017 0912345678 minh@example.vn',
      'TIVI000000018',
      'TIVI000000019 TIVI000000020',
      'đổi quà DAUMAY01',
      'bỏ mã TIVI000000018',
      '0867123456',
      'bỏ qua',
    ),
  },
  {
    weight: 3,
    arbitrary: text(
      '/language',
      '/privacy',
      'trợ giúp',
      'cảm ơn',
      'trạng thái',
      'không',
      'mã ở đâu?',
      'huỷ',
      'ok nhưng mà',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      index: fc.nat({ max: 5 }),
      dead: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Move>({ kind: 'share' }, { kind: 'wake' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('later' as const), ms: fc.constantFrom(1000, 6000, 60_000) }),
  },
);

function outcome(effect: Effect, pick: number): Outcome {
  if (effect.kind === 'check')
    return { kind: 'checked', operation: effect.operation, found: pick % 2 === 0 ? 'applied' : 'none' };
  if (effect.kind !== 'accumulate' && effect.kind !== 'redeem') return succeed(effect);
  const { operation } = effect;
  const by = { kind: 'phone', value: '+84912345678' } as const;
  const lookup = { kind: effect.kind, by, code: 'X', fromMs: NOW, deadlineMs: NOW, baseline: [], locks: [] };
  const all: Outcome[] = [
    succeed(effect),
    { kind: 'refused', operation },
    { kind: 'unavailable', operation },
    { kind: 'unknown', operation, lookup },
  ];
  return all[pick % all.length] ?? succeed(effect);
}

function make(chat: Dialogue, next: Move, shown: Reply | undefined): void {
  chat.current = next.kind !== 'text' || next.told;
  switch (next.kind) {
    case 'text':
      chat.text(next.text);
      return;
    case 'press': {
      const choice = shown?.choices?.[next.index]?.id ?? 'cancel';
      const view = next.dead ? 'v0' : shown?.view;
      chat.send({ kind: 'choice', choice, ...(view !== undefined && { view }) });
      return;
    }
    case 'share':
      chat.shareOwnPhone();
      return;
    case 'later':
      chat.later(next.ms);
      return;
    case 'wake':
      chat.wake();
  }
}

/** What was called by this move, and what was said before it. */
function expectRules(
  chat: Dialogue,
  next: Move,
  before: { readonly state: Dialogue['state']; readonly shown: Reply | undefined; readonly calls: number },
): void {
  const { state, shown } = before;
  const calls = chat.effects
    .slice(before.calls)
    .filter(({ kind }) => kind === 'accumulate' || kind === 'redeem');
  if (next.kind !== 'text') return;
  // Whatever is written, nothing is spent.
  expect(calls.filter(({ kind }) => kind === 'redeem')).toEqual([]);
  const isYes = YES.includes(next.text);
  if (isYes && state.step.at === 'confirming' && state.step.flow === 'redeem') {
    expect(chat.keys).toEqual(['confirm.press']);
    expect(chat.question.lines ?? []).toEqual([]);
    expect(chat.question.choices?.[0]?.id).toBe(`confirm:${state.step.operation}`);
  }
  const isSummary = shown?.key === 'accumulate.summary' && shown.view === state.view;
  const confirms = isYes && next.told && state.step.at === 'confirming' && isSummary;
  const isHindered = chat.keys.some(
    (key) => key === 'abuse.tooManyAttempts' || key.startsWith('operation.busy'),
  );
  if (!confirms) expect(calls).toEqual([]);
  else if (calls.length === 0) expect(isHindered).toBe(true);
}

test('a typed yes confirms an accumulation if, and only if, its summary is the last thing its writer was shown; a redemption never', () => {
  let confirmed = 0;
  let pointed = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(move, fc.nat({ max: 11 })), { maxLength: 40 }), (moves) => {
      const chat = new Dialogue(TELEGRAM);
      let shown: Reply | undefined;
      for (const [next, pick] of moves) {
        chat.answers = (effect) => outcome(effect, pick);
        const before = { state: chat.state, shown, calls: chat.effects.length };
        make(chat, next, shown);
        expectRules(chat, next, before);
        if (
          next.kind === 'text' &&
          chat.effects.slice(before.calls).some(({ kind }) => kind === 'accumulate')
        )
          confirmed += 1;
        if (next.kind === 'text' && chat.keys[0] === 'confirm.press') pointed += 1;
        if (next.kind !== 'later') shown = chat.replies.at(-1) ?? shown;
      }
    }),
    { numRuns: 600 },
  );
  // Both were seen, so that neither rule holds of nothing.
  expect(confirmed).toBeGreaterThan(50);
  expect(pointed).toBeGreaterThan(50);
});
