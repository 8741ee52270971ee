import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { Dialogue, fail, STAFF, succeed, TEAMS, TELEGRAM } from '../support/dialogue.ts';
import { isCustomers, shownTexts } from '../support/facts.ts';
import { either, fc } from '../support/properties.ts';
import { SPEAKERS } from '../support/scene.ts';

/*
 * Customers and staff who say and press anything, in any order, while AntCRM does as it likes: what holds
 * after each turn.
 */

const YES = ['có', 'ok', 'đồng ý', 'yes', 'chốt', '👍'];
const CONSENTS = ['đồng ý'];
const PHONES = ['0867123456', '0912345678', '0999999999'];
const NAMED = [...PHONES, 'garnacho@gmail.com', 'minh@example.vn'];
/** What is offered in the place of slips, and a slip that may be kept. */
const OFFERED = ['0701234567', 'minh@gmail.com', 'minh@gmail.con'];
const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';
const PHRASES =
  'tích điểm | TIVI000000018 | TIVI000000019 TIVI000000020 | bỏ mã TIVI000000018 | K7M2Q9X001 | đổi quà | đổi loa | loa kéo | ' +
  'phiếu mua hàng | 2 cái | quà khác | xem điểm | lịch sử đổi quà 30 ngày | 1/8/2023 - 31/8/2023 | sửa số điện thoại | ' +
  'khách khác | 01201234567 | minh@gmail.con | 1 | 2 | không | bỏ qua | huỷ | cảm ơn | trợ giúp | mã ở đâu? | ok nhưng mà | ' +
  'English | /privacy | /forget';
/** Asides, waits, denials, edits, doubts, in either language; and a yes or a no next to a value. */
const BESIDE =
  '/help | /language | 😂 | thanks | what is this? | con mèo | khoan | để mai | để mình xem lại | chờ chút | wait | hold on | ' +
  'not now | let me check | chưa đúng | không xác nhận | chưa chốt | ' +
  "don't confirm | that's wrong | no | do not confirm | sửa | sửa email | change | no email | remove a code | TIVIO00000120 | " +
  'ok? | ok nhưng | yes but | ok TIVI000000021 | TIVI000000021, dạ | yes. TIVI000000021 | không, TIVI000000021';

const phrase = fc.oneof(
  either(PHRASES),
  either(BESIDE),
  fc.constantFrom(SUMMED, ...NAMED, ...NAMED.map((one) => `đổi loa ${one}`)),
);
const anything = fc.oneof({ weight: 2, arbitrary: phrase }, fc.string({ unit: 'binary', maxLength: 40 }));
const textOf = (text: string): Message => ({ kind: 'text', text });
const picture = fc.oneof(
  fc.constant({ kind: 'remote' as const, at: 'file' }),
  fc.record({ kind: fc.constant('read' as const), texts: fc.array(fc.oneof(anything, fc.webUrl())) }),
  fc.record({ kind: fc.constantFrom('noCode' as const, 'unreadable' as const) }),
);
const CHOICES = ['confirm:K7M2Q9X001', 'confirm:', 'use', 'gift:x', 'edit:type', '__proto__'];
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('contact' as const),
    phone: fc.constantFrom('x', ...PHONES.map((one) => one.replace(/^0/, '84'))),
    own: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('form' as const), code: anything, phone: anything, email: anything }),
  fc.record({ kind: fc.constant('start' as const), payload: anything }),
  fc.record({
    kind: fc.constant('choice' as const),
    choice: fc.oneof(anything, fc.constantFrom(...CHOICES)),
  }),
  fc.record({
    kind: fc.constant('photo' as const),
    pictures: fc.array(picture, { minLength: 1, maxLength: 3 }),
    caption: fc.option(phrase, { nil: undefined }),
  }),
  fc.constantFrom<Message>(
    { kind: 'unknown', what: 'other' },
    { kind: 'group' },
    { kind: 'settle', operation: 'K7M2Q9X001', result: 'done' },
    { kind: 'settle', operation: 'K7M2Q9X001', result: 'not-applied' },
  ),
);

/**
 * `isInformed`: the writer knew what was said before. `on`: what leads on. `gift`: the list changes, at 0 one
 * is gone.
 */
type Move =
  | { readonly kind: 'send'; readonly message: Message; readonly isInformed: boolean }
  | { readonly kind: 'press'; readonly index: number; readonly view: 'live' | 'dead' | 'none' }
  | { readonly kind: 'gift'; readonly at: number; readonly score: number }
  | { readonly kind: 'later'; readonly ms: number }
  | { readonly kind: 'on' | 'wake' | 'failed' };

const sent = (messages: fc.Arbitrary<Message>): fc.Arbitrary<Move> =>
  fc
    .tuple(messages, fc.constantFrom(true, true, false))
    .map(([message, isInformed]) => ({ kind: 'send', message, isInformed }));
const view = fc.constantFrom(...(['live', 'live', 'live', 'dead', 'none'] as const));
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 18, arbitrary: fc.constant<Move>({ kind: 'on' }) },
  { weight: 10, arbitrary: sent(fc.constantFrom(...YES).map(textOf)) },
  { weight: 6, arbitrary: sent(either(BESIDE).map(textOf)) },
  { weight: 3, arbitrary: sent(anything.map(textOf)) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('press' as const), index: fc.nat({ max: 6 }), view }),
  },
  { weight: 1, arbitrary: sent(message) },
  fc.record({
    kind: fc.constant('gift' as const),
    at: fc.nat({ max: 3 }),
    score: fc.constantFrom(0, 250, 300, 300, 9999),
  }),
  fc.record({ kind: fc.constant('later' as const), ms: fc.constantFrom(1000, 6000, 60_000, 40 * 60_000) }),
  fc.constantFrom<Move>({ kind: 'wake' }, { kind: 'failed' }),
);

function ends(effect: Effect, pick: number): Outcome {
  if (effect.kind === 'check') {
    const found = (['applied', 'refused', 'none', 'several', 'unreadable'] as const)[pick % 5] ?? 'none';
    return { kind: 'checked', operation: effect.operation, found };
  }
  if (effect.kind === 'history' || effect.kind === 'balance') {
    if (pick % 5 === 0) return { kind: 'unavailable' };
    if (effect.kind === 'history') return { kind: 'history', records: [], more: pick % 2 === 0 };
    return { kind: 'balance', points: [0, 300, 2070][pick % 3] ?? null };
  }
  if (effect.kind === 'redeem' && effect.outdated) return { kind: 'outdated', operation: effect.operation };
  const kind = ([null, null, 'refused', 'unavailable', 'unknown', 'busy'] as const)[pick % 6];
  return kind ? fail(effect, kind) : succeed(effect);
}

/**
 * A word at a summary, else the first button of a question, one's own phone where it is to be shared, else
 * something to begin with.
 */
function leadingOn({ sender }: Dialogue, shown: Reply | undefined, pick: number): Message {
  const [first] = shown?.choices ?? [];
  const phone = PHONES[pick % 3] ?? '';
  if (shown?.asks === 'phone' && sender.proof === 'contact') return { kind: 'contact', phone, own: true };
  if (shown?.asks === 'confirm' && pick % 3 > 0)
    return textOf((pick % 3 === 1 ? YES[pick % YES.length] : 'chưa đúng') ?? '');
  if (first && shown?.asks !== 'menu' && shown?.asks !== 'phone' && !first.id.startsWith('cancel'))
    return { kind: 'choice', choice: first.id, view: shown?.view };
  if (shown?.asks === 'phone') return textOf(phone);
  return textOf(pick % 2 === 0 ? `tích điểm TIVI0000000${10 + pick} ${phone} minh@example.vn` : 'đổi loa');
}

/** What a move sends. */
function messageOf(move: Move, chat: Dialogue, shown: Reply | undefined, pick: number): Message | undefined {
  if (move.kind === 'send') return move.message;
  if (move.kind === 'on') return leadingOn(chat, shown, pick);
  if (move.kind !== 'press') return undefined;
  const live = move.view === 'live' ? shown?.view : move.view === 'dead' ? 'v0' : undefined;
  return { kind: 'choice', choice: shown?.choices?.[move.index]?.id ?? 'cancel', view: live };
}

/** What a move came to, and what was before it. */
type Turn = {
  readonly chat: Dialogue;
  readonly message: Message | undefined;
  readonly isInformed: boolean;
  readonly before: Dialogue['state'];
  /** What a yes answered, and the last summary of a redemption. */
  readonly answers: Answers;
  readonly summary: Reply | undefined;
  readonly calls: readonly Extract<Effect, { kind: 'accumulate' | 'redeem' }>[];
  /** Their own phone was shared; what staff named since their last operation. */
  readonly shared: boolean;
  readonly given: ReadonlySet<string>;
};

/** A redemption takes the live button and a proof, and what it spends is what its summary said. */
function expectProved({ chat, message, before, calls, shared, summary }: Turn): void {
  for (const call of calls) {
    if (call.kind !== 'redeem') continue;
    expect(before.step).toMatchObject({ at: 'confirming', flow: 'redeem', operation: call.operation });
    expect(message).toMatchObject({ kind: 'choice', choice: `confirm:${call.operation}` });
    const { sender } = chat;
    expect(shared || sender.proof === 'token' || sender.email === call.by.value).toBe(true);
    if (call.outdated) continue;
    const listed = chat.settings.gifts.find(({ code }) => code === call.gift);
    expect(summary?.lines).toContainEqual({ key: 'summary.gift', params: { gift: listed?.name } });
    expect(summary?.lines).toContainEqual({ key: 'summary.price', params: { score: listed?.score } });
  }
}

/** What a yes to the last turn does at a summary; undefined: it is shown the button. */
type Answers = 'confirm' | undefined;

/** Only a summary that came new, and last, is confirmed; pointing at its button does not change that. */
function answersAfter(chat: Dialogue, { text, views, answers }: Asked): Answers {
  const first = chat.replies[0];
  const last = chat.replies.at(-1);
  if (first === undefined) return answers;
  if (first.key === 'confirm.press' && YES.includes(text)) return answers === 'confirm' ? answers : undefined;
  const isNew = !views.has(last?.view ?? '');
  if (last?.key === 'accumulate.summary' && isNew) return 'confirm';
  return undefined;
}
type Asked = { readonly text: string; readonly views: ReadonlySet<string>; readonly answers: Answers };

type YesMeaning = 'confirmed' | 'pointed' | undefined;
/**
 * A typed yes confirms an earning whose summary is all that was said since it was posed; nothing else typed
 * calls.
 */
function expectYesMeans({ chat, message, isInformed, before, answers, calls }: Turn): YesMeaning {
  if (message?.kind !== 'text') return undefined;
  // It was said too late.
  if (chat.keys[0] === 'conversation.expired') {
    expect(calls).toEqual([]);
    return undefined;
  }
  const isYes = YES.includes(message.text);
  const isAnswer = isYes && isInformed && before.step.at === 'confirming';
  if (!(isAnswer && answers === 'confirm')) expect(calls).toEqual([]);
  else if (calls.length === 0)
    expect(chat.keys.some((key) => /^(abuse\.tooMany|operation\.|service\.)/.test(key))).toBe(true);
  if (isYes && before.step.at === 'confirming' && answers !== 'confirm') {
    expect(chat.keys).toEqual(['confirm.press', `${before.step.flow}.summary`]);
    return 'pointed';
  }
  return calls.length > 0 ? 'confirmed' : undefined;
}

/** As AntCRM gets them. */
const identifiersOf = (call: Turn['calls'][number]) =>
  (call.kind === 'redeem' ? [call.by, call.also] : [call.phone, call.email]).flatMap(
    (one) => one?.value ?? [],
  );

/** What the bot wrote about a customer's own points and data. */
const textsAboutOwn = (chat: Dialogue): readonly string[] =>
  [...shownTexts(chat), ...shownTexts(chat, 'en')].filter(isCustomers);

/**
 * No operation of staff is about anybody who was not named since the last one; they see all, and are spoken
 * to as staff.
 */
function expectNamed({ chat, message, calls, given }: Turn): void {
  if (chat.sender.channel !== 'staff') return;
  expect([...given]).toEqual(expect.arrayContaining(calls.flatMap(identifiersOf)));
  expect(chat.keys).not.toContain('privacy.consent');
  expect(JSON.stringify(chat.replies)).not.toContain('***');
  // No button of theirs shares a contact.
  if (message?.kind !== 'contact') expect(textsAboutOwn(chat)).toEqual([]);
}

/**
 * Nothing of the customer outlives being forgotten, or half an hour without consent; but for what has no
 * outcome.
 */
function expectForgotten({ chat, message }: Turn, woken: boolean): void {
  const { operations, profile, lastMessageMs, ...rest } = chat.state;
  const lapsed = woken && message === undefined && chat.nowMs - lastMessageMs > 30 * 60_000;
  if (!chat.last?.forget && !lapsed) return;
  expect(JSON.stringify(rest)).not.toMatch(/\d{9}"|@|TIVI0/);
  if (chat.last?.forget) expect(profile).toEqual({});
  for (const { status, lookup } of operations)
    if (lookup) expect(['checking', 'watching', 'escalated']).toContain(status);
}

/** Whoever writes is answered; groups hear where the private chat is once an hour. */
function expectAnswered({ chat, message }: Turn): void {
  const isQuiet = message === undefined || message.kind === 'group' || message.kind === 'settle';
  if (!isQuiet) expect(chat.replies).not.toEqual([]);
}

/** Consent is given by its button, by its number, or by a text that plainly is one. */
function expectConsented({ chat, message, before }: Turn): void {
  const isGiven = chat.state.consent?.given === true && before.consent?.given !== true;
  if (isGiven && message?.kind === 'text') expect(['1', ...CONSENTS]).toContain(message.text);
}

/** A customer or a member of staff, move by move, and what the rules must know of the moves before. */
class Walk {
  readonly #chat: Dialogue;
  #shown: Reply | undefined;
  #summary: Reply | undefined;
  #answers: Answers;
  readonly #views = new Set<string>();
  #shared = false;
  /** Operations that were called, and may not be called again. */
  readonly #over: string[] = [];
  /** The identifiers that were named since the last call. */
  #given = new Set<string>();

  constructor(sender: Dialogue['sender']) {
    this.#chat = new Dialogue(sender, { gifts: SPEAKERS });
  }

  /**
   * Makes a move. Returns the turn that it came to; undefined: only the time or the list of gifts changed.
   */
  take(move: Move, pick: number): Turn | undefined {
    const chat = this.#chat;
    switch (move.kind) {
      case 'later':
        chat.later(move.ms);
        return undefined;
      case 'gift':
        this.#changeGift(move);
        return undefined;
    }
    let isCalled = false;
    chat.answers = (effect) => {
      const outcome = ends(effect, pick);
      if (effect.kind !== 'accumulate' && effect.kind !== 'redeem') return outcome;
      expect(this.#over).not.toContain(effect.operation);
      // AntCRM was out of reach or another redemption was in the way: the same button works on.
      if (['unavailable', 'busy', 'outdated'].includes(outcome.kind)) return outcome;
      this.#over.push(effect.operation);
      isCalled = true;
      return outcome;
    };
    chat.serviceUp = pick % 10 !== 0;
    chat.current = move.kind !== 'send' || move.isInformed;
    const message = messageOf(move, chat, this.#shown, pick);
    this.#noteNamed(message);
    const before = chat.state;
    const earlier = chat.effects.length;
    if (message) chat.send(message);
    else if (move.kind === 'wake') chat.wake();
    else chat.fail();

    const turn: Turn = {
      chat,
      message,
      isInformed: chat.current,
      before,
      answers: this.#answers,
      summary: this.#summary,
      calls: chat.effects
        .slice(earlier)
        .filter((effect) => effect.kind === 'accumulate' || effect.kind === 'redeem'),
      shared: this.#shared,
      given: this.#given,
    };
    if (isCalled) this.#given = new Set();
    this.#noteReplies(message);
    return turn;
  }

  /** At a score of 0 the gift leaves the list. */
  #changeGift({ at, score }: Extract<Move, { kind: 'gift' }>): void {
    const gifts = SPEAKERS.flatMap((gift, place) => {
      if (place !== at) return gift;
      return score ? { ...gift, score } : [];
    });
    this.#chat.settings = { ...this.#chat.settings, gifts };
  }

  #noteNamed(message: Message | undefined): void {
    if (message?.kind === 'contact' && message.own) this.#shared = true;
    // A value that is offered in the place of a slip is named by the yes to it.
    const words = JSON.stringify([message ?? '', this.#chat.state.step]);
    for (const identifier of [...NAMED, ...OFFERED])
      if (words.includes(identifier.replace(/^0/, ''))) this.#given.add(identifier.replace(/^0/, '+84'));
  }

  #noteReplies(message: Message | undefined): void {
    const { replies } = this.#chat;
    const text = message?.kind === 'text' ? message.text : '';
    this.#answers = answersAfter(this.#chat, { text, views: this.#views, answers: this.#answers });
    for (const { view } of replies) if (view !== undefined) this.#views.add(view);
    this.#shown = replies.at(-1) ?? this.#shown;
    const isSummary = ({ key, lines }: Reply) => key === 'redeem.summary' && lines !== undefined;
    this.#summary = replies.findLast(isSummary) ?? this.#summary;
  }
}

const UNPROVED = { channel: 'teams', proof: 'profile' } as const;
const senders = [TELEGRAM, { ...TELEGRAM, locale: 'en' as const }, TEAMS, STAFF, UNPROVED];

test('points move only by the live button or a yes to the shown summary, for a proved customer; everything else is answered', () => {
  const times = { confirmed: 0, pointed: 0, redeemed: 0, served: 0 };
  const moves = fc.array(fc.tuple(move, fc.nat({ max: 59 })), { maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...senders), moves, (sender, all) => {
      const walk = new Walk(sender);
      for (const [next, pick] of all) {
        const turn = walk.take(next, pick);
        if (!turn) continue;
        expectProved(turn);
        expectNamed(turn);
        expectForgotten(turn, next.kind === 'wake');
        expectAnswered(turn);
        expectConsented(turn);
        const meaning = expectYesMeans(turn);
        if (meaning) times[meaning] += 1;
        if (turn.calls.some(({ kind }) => kind === 'redeem')) times.redeemed += 1;
        if (turn.calls.length > 0 && sender === STAFF) times.served += 1;
      }
    }),
    { numRuns: 800 },
  );
  // Each rule was tried often enough to mean something.
  expect(Math.min(...Object.values(times)), JSON.stringify(times)).toBeGreaterThan(30);
});
