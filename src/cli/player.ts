import type { Context, Settings } from '../conversation/context.ts';
import type { Conversation } from '../conversation/conversation.ts';
import type { Effect, Lookup, Outcome } from '../conversation/effect.ts';
import type { Locale, Message, PhotoEffect } from '../conversation/message.ts';
import type { ProofOutcome } from '../conversation/proof.ts';
import type { Decision, Reply } from '../conversation/reply.ts';
import type { State } from '../conversation/state.ts';
import { sandboxCodePrefixes, sandboxGifts } from '../sandbox/catalog.ts';

/*
 * Brings a conversation to a place and says one message there, without a server: AntCRM is a function.
 */

/** A message of the development sets: where it was said, and in which language. */
export type Trial = {
  readonly id: string;
  readonly lang: string;
  readonly place: string;
  readonly say: string;
  readonly want: string;
  readonly harm: string;
};

/** What stood before the message, and what came of it. */
export type Card = {
  readonly trial: Trial;
  /** The fresh code that `{code}` stands for. */
  readonly code: string;
  readonly before: State;
  readonly after: State;
  readonly standing: readonly Reply[];
  readonly replies: readonly Reply[];
  /** The questions that were answered, by their ids. */
  readonly answered: readonly string[];
  readonly calls: readonly string[];
};

/** 25 November 2026, 15:47 in Vietnam. */
const NOW_MS = Date.UTC(2026, 10, 25, 8, 47);
const OWN = { kind: 'contact', phone: '84867123456', own: true } as const;
const PRINTED = 'TIVI000000001';

const SETTINGS: Settings = {
  defaultLocale: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  gifts: sandboxGifts,
  codePrefixes: sandboxCodePrefixes,
  supportContact: '1900 0000',
  handover: true,
  identityProof: 'required',
  operationChecksMs: [5_000, 20_000, 60_000, 300_000, 1_800_000],
};

/** Says the message at its place. `at`: its number among all, which makes its code fresh. */
export function play(conversation: Conversation, trial: Trial, at: number): Card {
  const code = `TIVI000000${200 + (at % 700)}`;
  const isRefused = trial.place === 'after-refusal';
  const isKnown = trial.place === 'ask-phone' || trial.place.startsWith('summary-earn');
  const chat = new Chat(conversation, trial.lang === 'en' ? 'en' : 'vi', trial.place);
  const stood = isRefused || isKnown ? PRINTED : code;
  bring(chat, trial.place, { code: stood, hasEmail: trial.place === 'summary-earn' && at % 2 === 1 });
  const { state: before, replies: standing } = chat;
  chat.forget();
  chat.send({ kind: 'text', text: trial.say.replace('{code}', code) });
  const { state: after, replies, answered, calls } = chat;
  return { trial, code, before, after, standing, replies, answered, calls };
}

type Gathered = { readonly code: string; readonly hasEmail: boolean };

/** As a customer would come there. */
function bring(chat: Chat, place: string, { code, hasEmail }: Gathered): void {
  chat.send({ kind: 'start' });
  switch (place) {
    case 'menu':
      return;
    case 'human':
      chat.say(chat.locale === 'en' ? 'talk to a person' : 'gặp nhân viên');
      if (!chat.state.tickets) chat.press('person');
      return;
    case 'history':
      chat.press('history');
      chat.send(OWN);
      return;
    case 'choose-gift':
    case 'summary-redeem':
    case 'redeem-unknown':
      bringToGift(chat, place);
      return;
    default:
      bringToEarning(chat, place, { code, hasEmail });
  }
}

function bringToGift(chat: Chat, place: string): void {
  chat.press('redeem');
  chat.send(OWN);
  if (place === 'choose-gift') return;
  chat.press('gift:LOA01');
  if (place === 'redeem-unknown') chat.press('confirm');
}

function bringToEarning(chat: Chat, place: string, { code, hasEmail }: Gathered): void {
  chat.press('accumulate');
  if (place === 'ask-code') return;
  chat.say(code);
  if (place === 'ask-phone') return;
  chat.say('0912345678');
  if (place === 'ask-email') return;
  if (hasEmail) chat.say('hoa@example.com');
  else chat.press('skip');
  if (place !== 'summary-earn') chat.press('confirm');
}

class Chat {
  state: State;
  replies: readonly Reply[] = [];
  answered: string[] = [];
  calls: string[] = [];
  #ids = 0;
  readonly #conversation: Conversation;
  readonly locale: Locale;
  readonly #place: string;

  constructor(conversation: Conversation, locale: Locale, place: string) {
    this.#conversation = conversation;
    this.locale = locale;
    this.#place = place;
    this.state = conversation.newState(NOW_MS);
  }

  forget(): void {
    this.replies = [];
    this.answered = [];
    this.calls = [];
  }

  say(text: string): void {
    this.send({ kind: 'text', text });
  }

  press(id: string): void {
    const { choices = [], view } = this.replies.at(-1) ?? {};
    const choice = choices.findLast((button) => button.id === id || button.id.startsWith(`${id}:`));
    if (!choice) throw new Error(`no button ${id} among ${choices.map((button) => button.id).join(' ')}`);
    this.send({ kind: 'choice', choice: choice.id, ...(view !== undefined && { view }) });
  }

  send(message: Message): void {
    let decision = this.#conversation.step(this.state, { kind: 'message', message }, this.#context());
    const replies = [...decision.replies];
    this.#note(decision);
    for (let turns = 0; decision.effect && turns < 12; turns++) {
      const outcome = this.#perform(decision.effect);
      decision = this.#conversation.step(decision.state, { kind: 'outcome', outcome }, this.#context());
      replies.push(...decision.replies);
      this.#note(decision);
    }
    this.replies = replies.filter(({ quiet }) => !quiet);
    this.state = decision.state;
  }

  #note({ question }: Decision): void {
    if (question?.answer !== undefined) this.answered.push(question.answer);
  }

  #perform(effect: NonNullable<Decision['effect']>): Outcome | PhotoEffect | ProofOutcome {
    switch (effect.kind) {
      case 'sendCode':
        return { kind: 'codeSent', result: 'sent' };
      case 'tryCode':
        return { kind: 'codeTried', result: 'expired' };
      case 'photo':
        return effect;
      case 'accumulate':
      case 'redeem':
        this.calls.push(effect.kind);
        return this.#call(effect);
      case 'check':
        return { kind: 'checked', operation: effect.operation, found: 'none' };
      case 'history':
        return { kind: 'history', more: effect.skip < 10, records: [recordOf(effect.type)] };
      case 'balance':
        return { kind: 'balance', points: 320, rank: 'Vàng', rankPoints: 5000 };
    }
  }

  #call(effect: Extract<Effect, { kind: 'accumulate' | 'redeem' }>): Outcome {
    const { operation, kind } = effect;
    if (this.#place === 'earn-unknown' || this.#place === 'redeem-unknown')
      return { kind: 'unknown', operation, lookup: lookupOf(effect) };
    const isUsed = kind === 'accumulate' && this.#place === 'after-refusal' && effect.code === PRINTED;
    if (isUsed) return { kind: 'refused', operation };
    const receipt = kind === 'accumulate' ? { score: 100, what: 'Tivi' } : { score: 250, what: 'Loa' };
    return { kind: 'applied', operation, receipt: { ...receipt, record: `r${this.#ids}` } };
  }

  #context(): Context {
    this.#ids += 1;
    const id = String(this.#ids);
    return {
      settings: SETTINGS,
      nowMs: NOW_MS + this.#ids * 1000,
      sender: { channel: 'telegram', proof: 'contact', locale: this.locale },
      serviceUp: true,
      current: true,
      ids: { operation: `K7M2Q9X${id.padStart(3, '0')}`, view: `v${id}` },
    };
  }
}

const recordOf = (type: 'point' | 'gift') =>
  ({ type, atMs: NOW_MS, score: 100, what: 'Tivi', failed: false }) as const;

function lookupOf(effect: Extract<Effect, { kind: 'accumulate' | 'redeem' }>): Lookup {
  const isRedeem = effect.kind === 'redeem';
  return {
    kind: effect.kind,
    by: isRedeem ? effect.by : { kind: 'phone', value: '+84912345678' },
    code: isRedeem ? effect.gift : effect.code,
    fromMs: NOW_MS,
    deadlineMs: NOW_MS,
    baseline: [],
    locks: isRedeem ? ['customer:475'] : [],
  };
}
