import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import { Dialogue, NOW, STAFF, succeed } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';

/** What staff write, with the phones and e-mails that it gives. */
const PHONES = ['0867123456', '0912345678', '0999999999'];
const EMAILS = ['garnacho@gmail.com', 'minh@example.vn'];
const identifiers = [...PHONES, ...EMAILS];

const words = fc.constantFrom(
  ...['đổi loa', 'đổi quà', 'đổi đầu máy 2 cái', 'xem điểm', 'lịch sử', 'quà của tôi', 'bỏ qua'],
  ...['ok', 'có', 'đồng ý', 'không', 'huỷ', 'menu', 'sửa', 'sửa số điện thoại', 'khách khác', '/privacy'],
  ...['TIVI000000018 TIVI000000019', 'tích điểm TIVI000000020', '1', '2', 'loa', 'English'],
);
const said = fc
  .tuple(fc.option(words, { nil: '' }), fc.option(fc.constantFrom(...identifiers), { nil: '' }))
  .map(([first, second]) => `${first} ${second}`.trim() || 'menu');

/** `on`: what leads on from where the conversation is, without naming anybody. */
type Move =
  | Message
  | { readonly kind: 'press'; readonly index: number }
  | { readonly kind: 'on' }
  | { readonly kind: 'later' };
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Move>({ kind: 'on' }) },
  { weight: 2, arbitrary: fc.constantFrom(...identifiers).map((text): Move => ({ kind: 'text', text })) },
  { weight: 3, arbitrary: said.map((text): Move => ({ kind: 'text', text })) },
  { weight: 2, arbitrary: fc.nat({ max: 5 }).map((index): Move => ({ kind: 'press', index })) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom(...PHONES).map((phone): Move => ({ kind: 'contact', phone, own: true })),
      fc
        .record({ phone: fc.constantFrom('', ...PHONES), email: fc.constantFrom('', ...EMAILS) })
        .map((form): Move => ({ kind: 'form', code: 'TIVI000000021', ...form })),
      fc.constant<Move>({ kind: 'start', payload: 'TIVI000000022' }),
      fc.constant<Move>({ kind: 'later' }),
    ),
  },
);

function leadingOn({ replies }: Dialogue, pick: number): Message {
  const { asks, choices = [], view } = replies.at(-1) ?? {};
  const [first] = choices;
  if (first && asks !== 'menu' && asks !== 'phone' && !first.id.startsWith('cancel'))
    return { kind: 'choice', choice: first.id, view };
  return { kind: 'text', text: pick % 2 === 0 ? `tích điểm TIVI0000000${10 + pick}` : 'đổi loa' };
}

function ends(effect: Effect, pick: number): Outcome {
  if (effect.kind === 'balance') return { kind: 'balance', points: [0, 20, 5000][pick % 3] ?? null };
  if (effect.kind !== 'accumulate' && effect.kind !== 'redeem') return succeed(effect);
  const { operation } = effect;
  const by = effect.kind === 'redeem' ? effect.by : ({ kind: 'phone', value: '+84867123456' } as const);
  const lookup = { kind: effect.kind, by, code: 'X', fromMs: NOW, deadlineMs: NOW, baseline: [], locks: [] };
  const outcomes: Outcome[] = [
    succeed(effect),
    { kind: 'refused', operation },
    { kind: 'unavailable', operation },
    { kind: 'unknown', operation, lookup },
    { kind: 'busy', operation },
  ];
  return outcomes[pick % outcomes.length] ?? succeed(effect);
}

/** As AntCRM gets them. */
function identifiersOf(effect: Effect): string[] {
  if (effect.kind === 'accumulate') {
    return [effect.phone?.value, effect.email?.value].filter((value) => value !== undefined);
  }
  return effect.kind === 'redeem' ? [effect.by.value, ...(effect.also ? [effect.also.value] : [])] : [];
}

/** Every identifier in what staff sent, as AntCRM gets it. */
function givenIn(message: Message): string[] {
  const sent = JSON.stringify(message);
  return identifiers.filter((one) => sent.includes(one)).map((one) => one.replace(/^0/, '+84'));
}

/** What a move sends. */
function messageOf(move: Exclude<Move, { kind: 'later' }>, chat: Dialogue, pick: number): Message {
  if (move.kind === 'on') return leadingOn(chat, pick);
  if (move.kind !== 'press') return move;
  const { choices = [], view } = chat.replies.at(-1) ?? {};
  return { kind: 'choice', choice: choices[move.index % Math.max(choices.length, 1)]?.id ?? 'menu', view };
}

test('no operation of staff is about anybody who was not named since the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(move, fc.nat({ max: 29 })), { maxLength: 40 }), (moves) => {
      const chat = new Dialogue(STAFF);
      let given = new Set<string>();
      for (const [next, pick] of moves) {
        if (next.kind === 'later') {
          chat.later(40 * 60_000);
          continue;
        }
        const called = chat.effects.length;
        const ended: Outcome['kind'][] = [];
        chat.answers = (effect) => {
          const outcome = ends(effect, pick);
          if (effect.kind === 'accumulate' || effect.kind === 'redeem') ended.push(outcome.kind);
          return outcome;
        };
        const message = messageOf(next, chat, pick);
        for (const one of givenIn(message)) given.add(one);
        // One tap names the last customer again.
        if (message.kind === 'choice' && message.choice === 'before')
          for (const known of Object.values(chat.state.before ?? {})) if (known) given.add(known.value);
        chat.send(message);
        expect(chat.keys).not.toContain('privacy.consent');
        expect(JSON.stringify(chat.replies)).not.toContain('***');
        const named = chat.effects.slice(called).flatMap(identifiersOf);
        expect([...given]).toEqual(expect.arrayContaining(named));
        // Nothing was called where AntCRM was out of reach or another operation in the way: the same button works on.
        if (ended.some((kind) => kind !== 'unavailable' && kind !== 'busy')) given = new Set();
      }
    }),
    { numRuns: 200 },
  );
}, 120_000);
