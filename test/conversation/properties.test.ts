import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';
import type { Message, Sender } from '../../src/conversation/message.ts';
import { Dialogue, NOW, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

const phrases = [
  'tích điểm',
  'doi qua DAUMAY01',
  'tich diem TIVI000000017 0912345678 minh@example.vn',
  'lịch sử đổi quà 30 ngày',
  'xem điểm',
  'ok',
  'đồng ý',
  'không',
  'bỏ qua',
  'huỷ',
  'English',
  '/privacy',
  '/forget',
  '0867123456',
  '01201234567',
  'garnacho@gmail.com',
  'minh@gmail.con',
  'TIVI000000017',
  '1/8/2023 - 31/8/2023',
  'sửa số điện thoại',
  'K7M2Q9X001',
  '1',
  '2',
];

/** Presses take a choice of the live question by index, or any id, under the live view, an old one or none. */
type Move =
  | { kind: 'send'; message: Message }
  | { kind: 'press'; index: number; view: 'live' | 'dead' | 'none' }
  | { kind: 'later'; ms: number }
  | { kind: 'wake' }
  | { kind: 'failed' };

/** What the codes of pictures say: anything. */
const scanned = fc.oneof(
  fc.constantFrom(...phrases),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.webUrl({ withQueryParameters: true }),
);
const photo: fc.Arbitrary<Message> = fc.record({
  kind: fc.constant('photo' as const),
  pictures: fc.array(
    fc.oneof(
      fc.constant({ kind: 'remote' as const, at: 'file' }),
      fc.record({ kind: fc.constant('read' as const), texts: fc.array(scanned) }),
      fc.record({ kind: fc.constantFrom('noCode' as const, 'unreadable' as const) }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  caption: fc.option(fc.constantFrom(...phrases), { nil: undefined }),
  album: fc.constantFrom(true as const, undefined),
});

const text = fc.oneof(fc.constantFrom(...phrases), fc.string({ unit: 'binary', maxLength: 40 }));
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      message: fc.record({ kind: fc.constant('text' as const), text }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      index: fc.nat({ max: 6 }),
      view: fc.constantFrom(
        'live' as const,
        'live' as const,
        'live' as const,
        'dead' as const,
        'none' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      message: fc.oneof(
        fc.record({
          kind: fc.constant('contact' as const),
          phone: fc.constantFrom('84867123456', '0912345678', 'x'),
          own: fc.boolean(),
        }),
        fc.record({ kind: fc.constant('form' as const), code: text, phone: text, email: text }),
        fc.record({ kind: fc.constant('start' as const), payload: text }),
        fc.record({
          kind: fc.constant('choice' as const),
          choice: fc.oneof(
            text,
            fc.constantFrom('confirm:K7M2Q9X001', 'confirm:', 'use', 'gift:x', 'edit:type', '__proto__'),
          ),
        }),
        fc.constant({ kind: 'unknown' as const, what: 'other' as const }),
        photo,
        fc.constant({ kind: 'group' as const }),
        fc.record({
          kind: fc.constant('settle' as const),
          operation: fc.constant('K7M2Q9X001'),
          result: fc.constantFrom('done' as const, 'not-applied' as const),
        }),
      ),
    }),
  },
  fc.record({ kind: fc.constant('later' as const), ms: fc.constantFrom(1000, 60_000, 40 * 60_000) }),
  fc.constantFrom({ kind: 'wake' as const }, { kind: 'failed' as const }),
);

function outcome(effect: Effect, pick: number): Outcome {
  switch (effect.kind) {
    case 'accumulate':
    case 'redeem': {
      const { operation } = effect;
      const lookup = {
        kind: effect.kind,
        by: effect.kind === 'redeem' ? effect.by : ({ kind: 'phone', value: '+84912345678' } as const),
        code: 'X',
        fromMs: NOW,
        deadlineMs: NOW,
        baseline: [],
        locks: [],
      };
      const all: Outcome[] = [
        { kind: 'applied', operation },
        { kind: 'refused', operation },
        { kind: 'unavailable', operation },
        { kind: 'unknown', operation, lookup },
        { kind: 'busy', operation },
      ];
      return all[pick % all.length] ?? { kind: 'busy', operation };
    }
    case 'check': {
      const found = (['applied', 'refused', 'none', 'several', 'unreadable'] as const)[pick % 5] ?? 'none';
      return { kind: 'checked', operation: effect.operation, found };
    }
    case 'history':
      return pick % 3 === 0
        ? { kind: 'unavailable' }
        : { kind: 'history', records: [], more: pick % 2 === 0 };
    case 'balance':
      return pick % 3 === 0 ? { kind: 'unavailable' } : { kind: 'sums', earned: 1, spent: 0, partial: false };
  }
}

/** Nothing of the customer outlives being forgotten, or half an hour without consent; but for what has no outcome. */
function expectForgotten(chat: Dialogue, woken: boolean): void {
  const { operations, profile, lastMessageMs, ...rest } = chat.state;
  const lapsed = woken && chat.nowMs - lastMessageMs > 30 * 60_000;
  if (!chat.last?.forget && !lapsed) return;
  expect(JSON.stringify(rest)).not.toMatch(/\d{9}"|@|TIVI0/);
  if (chat.last?.forget) expect(profile).toEqual({});
  for (const { status, lookup } of operations) {
    if (lookup) expect(['checking', 'watching', 'escalated']).toContain(status);
  }
}

const senders: Sender[] = [TELEGRAM, TEAMS, STAFF, { channel: 'teams', proof: 'profile' }];

test('any sequence of messages leaves a valid state, never throws, and redeems only by the live button with a proved identifier', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...senders),
      fc.array(fc.tuple(move, fc.nat({ max: 59 })), { maxLength: 40 }),
      (sender, moves) => {
        const chat = new Dialogue(sender);
        let ownContact = false;
        for (const [next, pick] of moves) {
          chat.answers = (effect) => outcome(effect, pick);
          chat.serviceUp = pick % 10 !== 0;
          const before = chat.state;
          const called = chat.effects.length;
          let pressed = '';
          if (next.kind === 'later') chat.later(next.ms);
          else if (next.kind === 'wake') chat.wake();
          else if (next.kind === 'failed') chat.fail();
          else if (next.kind === 'send') {
            if (next.message.kind === 'contact' && next.message.own) ownContact = true;
            if (next.message.kind === 'choice') pressed = next.message.choice;
            chat.send(next.message);
          } else {
            pressed = chat.replies.at(-1)?.choices?.[next.index]?.id ?? 'cancel';
            const view =
              next.view === 'live' ? chat.replies.at(-1)?.view : next.view === 'dead' ? 'v0' : undefined;
            chat.send({ kind: 'choice', choice: pressed, view });
          }
          expectForgotten(chat, next.kind === 'wake');
          for (const effect of chat.effects.slice(called)) {
            if (effect.kind !== 'redeem') continue;
            expect(before.step).toMatchObject({
              at: 'confirming',
              flow: 'redeem',
              operation: effect.operation,
            });
            expect(pressed).toBe(`confirm:${effect.operation}`);
            expect(ownContact || sender.proof === 'token' || sender.email === effect.by.value).toBe(true);
          }
          const isGathered = chat.state.album !== undefined && chat.replies.length === 0;
          // Groups hear where the private chat is once an hour.
          const isGroup = next.kind === 'send' && next.message.kind === 'group';
          if (
            !isGroup &&
            next.kind !== 'later' &&
            next.kind !== 'wake' &&
            !(
              next.kind === 'send' &&
              (next.message.kind === 'settle' || (next.message.kind === 'photo' && isGathered))
            )
          )
            expect(chat.replies.length).toBeGreaterThan(0);
        }
        const operations = chat.effects.flatMap((effect) =>
          effect.kind === 'redeem' ? [effect.operation] : [],
        );
        const settled = operations.filter((one, index) => operations.indexOf(one) !== index);
        // The same operation is asked for again only where nothing was called: another one was in the way.
        for (const again of settled) expect(chat.state.operations.some(({ id }) => id === again)).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});
