import { expect, test } from 'vitest';
import type { Effect, KnownCall, Outcome } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import type { Input } from '../../src/conversation/step.ts';
import { step } from '../support/conversation.ts';
import { Dialogue, lookupOf, succeed } from '../support/dialogue.ts';
import { either, fc } from '../support/properties.ts';

/*
 * Several codes, whatever happens: added, left out, replaced, confirmed, refused, never answered, cut off by crashes.
 */

const CODES =
  'TIVI000000301 | TIVI000000302 | TIVI000000303 | TULANH000000304 | MAYGIAT01X | tivi000000305 | TIVI000000305 | ' +
  'TIVInpmx8b98pfg | TIVINPMX8B98PFG';
const code = either(CODES);
const some = fc.uniqueArray(code, { minLength: 1, maxLength: 4 });

/** How AntCRM answers, and where the process dies: just before it hears the answer to its `at`-th effect. */
type Fate = { readonly outcome: number; readonly deaths: readonly number[] };

const text = (words: string): Message => ({ kind: 'text', text: words });
const message = fc.oneof(
  {
    weight: 4,
    arbitrary: some.map((codes) => text(`tích điểm ${codes.join(' ')} 0912345678 minh@example.vn`)),
  },
  { weight: 4, arbitrary: some.map((codes) => text(codes.join(', '))) },
  code.map((one): Message => ({ kind: 'start', payload: one })),
  code.map((one): Message => ({ kind: 'form', code: one })),
  some.map((codes): Message => ({ kind: 'photo', pictures: [{ kind: 'read', texts: codes }] })),
  code.map((one) => text(`bỏ mã ${one}`)),
  fc.tuple(code, code).map(([old, one]) => text(`thay mã ${old} bằng ${one}`)),
  code.map((one) => text(`mã đúng là ${one}`)),
  either('bỏ mã số 2 | bỏ mã cuối | ok | có | bỏ qua | 0912345678 | huỷ | giữ nguyên | sửa').map(text),
);
type Move =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'press'; readonly at: number }
  | { readonly kind: 'confirm' | 'again' | 'wake' };
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: message.map((one): Move => ({ kind: 'message', message: one })) },
  { weight: 4, arbitrary: fc.constant<Move>({ kind: 'confirm' }) },
  { weight: 2, arbitrary: fc.nat({ max: 8 }).map((at): Move => ({ kind: 'press', at })) },
  fc.constantFrom<Move>({ kind: 'again' }, { kind: 'wake' }),
);
const fate: fc.Arbitrary<Fate> = fc.record({
  outcome: fc.nat({ max: 999 }),
  deaths: fc.array(fc.nat({ max: 4 }), { maxLength: 6 }),
});

/** AntCRM with its journal: what was called, and how that ended as far as it was written down. */
class Antcrm {
  readonly calls: { readonly operation: string; readonly code: string; readonly kind: Outcome['kind'] }[] =
    [];
  readonly journal: Record<string, KnownCall> = {};
  /** Outcomes are written with the next intent. */
  #unwritten: KnownCall[] = [];

  perform(effect: Effect, pick: number): Outcome {
    if (effect.kind === 'check')
      return { kind: 'checked', operation: effect.operation, found: pick % 2 === 0 ? 'applied' : 'none' };
    if (effect.kind !== 'accumulate') return succeed(effect);
    const { operation, code: called } = effect;
    const known = this.journal[operation];
    if (known) return known;
    for (const one of this.#unwritten.splice(0)) this.journal[one.operation] = one;
    const kinds = ['applied', 'applied', 'refused', 'unknown', 'unavailable'] as const;
    const kind = kinds[(pick + called.length) % 5] ?? 'applied';
    const unknown = { kind: 'unknown', operation, lookup: lookupOf('accumulate', called) } as const;
    this.journal[operation] = unknown;
    this.calls.push({ operation, code: called, kind });
    if (kind === 'unknown') return unknown;
    this.#unwritten.push({ kind, operation });
    return { kind, operation };
  }

  /** The process died: what it had not written is lost. */
  die(): void {
    this.#unwritten = [];
  }

  settle(operations: readonly string[]): void {
    this.#unwritten = [];
    for (const operation of operations) delete this.journal[operation];
  }
}

/** A turn, begun anew whenever the process dies on the way; given up the fifth time. */
function turn(chat: Dialogue, input: Input, antcrm: Antcrm, { outcome, deaths }: Fate): void {
  const left = [...deaths];
  for (let attempt = 1; ; attempt++) {
    chat.current = attempt === 1;
    const dies = attempt <= 5 ? left.shift() : undefined;
    if (attempted(chat, attempt > 5 ? { kind: 'failed' } : input, antcrm, outcome, dies)) return;
    antcrm.die();
  }
}

/** Whether it came to its end. */
function attempted(
  chat: Dialogue,
  input: Input,
  antcrm: Antcrm,
  pick: number,
  dies: number | undefined,
): boolean {
  chat.journal = { ...antcrm.journal };
  let decision = step(chat.state, input, chat.context());
  const replies = [...decision.replies];
  const settled = [...(decision.settled ?? [])];
  for (let at = 0; decision.effect; at++) {
    if (decision.effect.kind === 'photo') throw new Error('all pictures are read');
    const outcome = antcrm.perform(decision.effect, pick);
    if (at === dies) return false;
    decision = step(decision.state, { kind: 'outcome', outcome }, chat.context());
    replies.push(...decision.replies);
    settled.push(...(decision.settled ?? []));
  }
  antcrm.settle(settled);
  chat.state = decision.state;
  chat.replies = replies;
  return true;
}

const confirmIn = ({ state }: Dialogue): string | undefined =>
  state.step.at === 'confirming' ? `confirm:${state.step.operation}` : undefined;
const codesIn = ({ state: { draft } }: Dialogue): readonly string[] =>
  Array.isArray(draft.codes) ? draft.codes : [];

/** What is told of each of several codes. */
const told = (chat: Dialogue): { code: unknown; context: unknown }[] =>
  chat.replies
    .filter(({ key }) => /^(accumulate\.(done|partly|refused)|operation\.checking)$/.test(key))
    .flatMap(({ lines = [] }) => lines)
    .flatMap(({ key, context, params }) => (key === 'receipt.code' ? [{ code: params?.code, context }] : []));

function inputOf(next: Move, chat: Dialogue, last: Input | undefined): Input | undefined {
  switch (next.kind) {
    case 'message':
      return { kind: 'message', message: next.message };
    case 'confirm': {
      const choice = confirmIn(chat);
      return choice === undefined ? undefined : { kind: 'message', message: { kind: 'choice', choice } };
    }
    case 'press': {
      const { choices = [], view } = chat.replies.at(-1) ?? {};
      const choice = choices[next.at]?.id;
      return choice === undefined
        ? undefined
        : { kind: 'message', message: { kind: 'choice', choice, view } };
    }
    case 'again':
      // The platform sends what it sent before once more, under another id.
      return last;
    case 'wake':
      return { kind: 'wake' };
  }
}

test('each code is called at most once a confirmation, and ends told as what it is', () => {
  let confirmations = 0;
  let cutOff = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(move, fate), { minLength: 8, maxLength: 25 }), (moves) => {
      const chat = new Dialogue();
      const antcrm = new Antcrm();
      let last: Input | undefined;
      for (const [next, ends] of moves) {
        chat.later(1500);
        const input = inputOf(next, chat, last);
        if (!input) continue;
        last = input;
        const confirmed = codesIn(chat);
        const id = chat.state.step.at === 'confirming' ? chat.state.step.operation : undefined;
        const before = antcrm.calls.length;
        turn(chat, input, antcrm, ends);

        const calls = antcrm.calls.slice(before);
        const operations = antcrm.calls.map(({ operation }) => operation);
        expect(new Set(operations).size).toBe(operations.length);
        expect(new Set(calls.map(({ code: one }) => one)).size).toBe(calls.length);
        for (const { operation, code: one } of calls) {
          expect(operation.split('.')[0]).toBe(id);
          expect(confirmed).toContain(one);
        }
        const lines = told(chat);
        if (calls.length > 0 && confirmed.length > 1) {
          confirmations += 1;
          if (chat.replies.some(({ context }) => context === 'rest')) cutOff += 1;
          const isNothing = calls.every(({ kind }) => kind === 'unavailable');
          // Where AntCRM was away from the first on, all of it is confirmed anew.
          if (lines.length > 0 || !isNothing)
            expect(lines.map(({ code: one }) => one).sort()).toEqual([...confirmed].sort());
        }
        for (const { code: one, context } of lines) {
          const call = calls.find((made) => made.code === one);
          if (context === 'untried') expect([undefined, 'unavailable']).toContain(call?.kind);
          if (context === 'unnamed' || context === 'scored' || context === 'done')
            expect(call?.kind).toBe('applied');
          if (context === 'refused') expect(call?.kind).toBe('refused');
          if (context === 'checking') expect(call).toBeDefined();
          // What is to be confirmed anew was not called, and all that was not is offered.
          if (context === 'untried' && chat.state.step.at === 'confirming')
            expect(codesIn(chat)).toContain(one);
          if (context !== 'untried') expect(codesIn(chat)).not.toContain(one);
        }
        expect(codesIn(chat).length).toBeLessThanOrEqual(10);
        expect(new Set(codesIn(chat)).size).toBe(codesIn(chat).length);
      }
    }),
    { numRuns: 200 },
  );
  expect(confirmations).toBeGreaterThan(100);
  expect(cutOff).toBeGreaterThan(10);
});

/** Every code of a text. */
const codesSaid = (message: Message): readonly string[] => {
  const words =
    message.kind === 'text' ? message.text : message.kind === 'start' ? (message.payload ?? '') : '';
  return CODES.split(' | ').filter((one) => words.split(/[ ,]+/).includes(one));
};

test('no code that is said is lost in silence: it is kept, or the answer names it', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 15 }), (messages) => {
      const chat = new Dialogue();
      for (const one of messages) {
        // What was offered in the place of a slip takes it where the answer is yes.
        const { step: at } = chat.state;
        const slip =
          at.at === 'asking' && one.kind === 'text' && /^(ok|có)$/.test(one.text)
            ? at.offer?.typed
            : undefined;
        const before = codesIn(chat).filter((kept) => kept !== slip);
        chat.later(1500).send(one);
        const words = JSON.stringify(chat.replies).toLowerCase();
        const isCancelled = chat.keys.some((key) => /^(cancel|accumulate\.askCode|menu|unsure)/.test(key));
        for (const kept of new Set([...before, ...codesSaid(one)])) {
          const isNamed =
            words.includes(kept.toLowerCase()) ||
            chat.calls.some((call) => call.kind === 'accumulate' && call.code === kept);
          expect(
            codesIn(chat).includes(kept) || isNamed || isCancelled,
            `${kept} after ${JSON.stringify(one)}`,
          ).toBe(true);
        }
      }
    }),
    { numRuns: 200 },
  );
});
