import type { Context, Settings } from '../../src/conversation/context.ts';
import type { Conversation } from '../../src/conversation/conversation.ts';
import type { Effect, Identifier, Lookup, OperationOutcome, Outcome } from '../../src/conversation/effect.ts';
import type { Message, PhotoEffect, PhotoReading, Sender } from '../../src/conversation/message.ts';
import type { ProofEffect, ProofOutcome } from '../../src/conversation/proof.ts';
import type { Decision, Reply } from '../../src/conversation/reply.ts';
import type { State } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import { conversation as own } from './conversation.ts';

/** 25 November 2026, 15:47 in Vietnam. */
export const NOW = Date.UTC(2026, 10, 25, 8, 47);

export const SETTINGS: Settings = {
  defaultLocale: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  gifts: [
    { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 },
    { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
  ],
  codePrefixes: ['TIVI', 'TULANH'],
  supportContact: '1900 0000',
  identityProof: 'required',
  operationChecksMs: [5_000, 20_000, 60_000, 300_000, 1_800_000],
};

export const TELEGRAM: Sender = { channel: 'telegram', proof: 'contact', locale: 'vi', name: 'Garnacho' };
export const TEAMS: Sender = {
  channel: 'teams',
  proof: 'profile',
  locale: 'vi',
  name: 'Garnacho',
  email: 'garnacho@gmail.com',
};
export const STAFF: Sender = { channel: 'staff', proof: 'token' };

/**
 * A conversation without anything around it: messages in, replies out, effects answered by `answers`. Every
 * state is written and read back, as a store would.
 */
export class Dialogue {
  state: State;
  nowMs = NOW;
  serviceUp = true;
  /** Whether messages are written by somebody who could see all that was said. */
  current = true;
  /** When what is said was filed, epoch ms; undefined: now. */
  filedMs: number | undefined;
  sender: Sender;
  settings: Settings;
  readonly conversation: Pick<Conversation, 'step' | 'readState' | 'newState'>;
  readonly effects: Effect[] = [];
  /** What was asked of one-time codes, and what becomes of it. */
  readonly proofs: ProofEffect[] = [];
  prove: (effect: ProofEffect) => ProofOutcome = ({ kind }) =>
    kind === 'sendCode' ? { kind: 'codeSent', result: 'sent' } : { kind: 'codeTried', result: 'expired' };
  replies: readonly Reply[] = [];
  last: Decision | undefined;
  answers: (effect: Effect) => Outcome;
  reading: PhotoReading = { kind: 'noCode' };
  /** Calls that an earlier attempt of the next turn perhaps made; it ends with that turn. */
  journal: Record<string, OperationOutcome> = {};
  #ids = 0;

  constructor(
    sender: Sender = TELEGRAM,
    settings: Partial<Settings> = {},
    conversation: Pick<Conversation, 'step' | 'readState' | 'newState'> = own,
  ) {
    this.conversation = conversation;
    this.sender = sender;
    this.settings = { ...SETTINGS, ...settings };
    this.state = conversation.newState(NOW);
    this.answers = succeed;
  }

  get keys(): string[] {
    return this.replies.map(({ key }) => key);
  }

  /** The last reply: the question that waits for an answer. */
  get question(): Reply {
    const reply = this.replies.at(-1);
    if (!reply) throw new Error('the bot said nothing');
    return reply;
  }

  text(text: string): this {
    return this.send({ kind: 'text', text });
  }

  /** Presses a button of the last reply, by its id or by the id's beginning. */
  press(id: string): this {
    const choice = this.question.choices?.find(
      (button) => button.id === id || button.id.startsWith(`${id}:`),
    );
    if (!choice) throw new Error(`no choice ${id} in ${JSON.stringify(this.question.choices)}`);
    return this.send({ kind: 'choice', choice: choice.id, view: this.question.view });
  }

  shareOwnPhone(phone = '84867123456'): this {
    return this.send({ kind: 'contact', phone, own: true });
  }

  send(message: Message): this {
    return this.run({ kind: 'message', message });
  }

  wake(): this {
    return this.run({ kind: 'wake' });
  }

  /** The turn of the last message was given up. */
  fail(): this {
    return this.run({ kind: 'failed' });
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  run(input: Input): this {
    this.replies = [];
    let decision = this.conversation.step(this.state, input, this.context());
    const replies = [...decision.replies];
    for (let turns = 0; decision.effect; turns++) {
      if (turns > 12) throw new Error('too many effects in a turn');
      const outcome = this.perform(decision.effect);
      decision = this.conversation.step(decision.state, { kind: 'outcome', outcome }, this.context());
      replies.push(...decision.replies);
    }
    this.replies = replies;
    this.journal = {};
    this.last = decision;
    this.state = this.conversation.readState(JSON.parse(JSON.stringify(decision.state))).state;
    return this;
  }

  private perform(effect: NonNullable<Decision['effect']>): Outcome | PhotoEffect | ProofOutcome {
    if (effect.kind === 'sendCode' || effect.kind === 'tryCode') {
      this.proofs.push(effect);
      return this.prove(effect);
    }
    if (effect.kind !== 'photo') {
      const known =
        'operation' in effect && effect.kind !== 'check' ? this.journal[effect.operation] : undefined;
      if (known !== undefined) return known;
      this.effects.push(effect);
      return this.answers(effect);
    }
    const { photo } = effect;
    const read = photo.pictures.map((picture) => (picture.kind === 'remote' ? this.reading : picture));
    return { kind: 'photo', photo: { ...photo, pictures: read } };
  }

  context(): Context {
    this.#ids += 1;
    const id = String(this.#ids);
    return {
      settings: this.settings,
      nowMs: this.nowMs,
      sender: this.sender,
      serviceUp: this.serviceUp,
      current: this.current,
      filedMs: this.filedMs,
      journal: this.journal,
      giftCode: (operation) => `CODE-${operation}`,
      ids: { operation: `K7M2Q9X${id.padStart(3, '0')}`, view: `v${id}` },
    };
  }
}

/** AntCRM on a good day. */
export function succeed(effect: Effect): Outcome {
  switch (effect.kind) {
    case 'accumulate': {
      const receipt = { record: 'r1', score: 100, what: 'Tivi' };
      return { kind: 'applied', operation: effect.operation, receipt };
    }
    case 'redeem': {
      const receipt = { record: 'r2', score: 10, what: 'Đầu máy' };
      return { kind: 'applied', operation: effect.operation, receipt, locks: ['customer:475'] };
    }
    case 'check':
      return { kind: 'checked', operation: effect.operation, found: 'none' };
    case 'history':
      return {
        kind: 'history',
        more: effect.skip < 10,
        records: [{ type: effect.type, atMs: NOW, score: 100, what: 'Tivi', failed: false }],
      };
    case 'balance':
      return { kind: 'balance', points: 1234, rank: 'Vàng', rankPoints: 5000 };
  }
}

type Call = Extract<Effect, { kind: 'accumulate' | 'redeem' }>;
const SOMEBODY: Identifier = { kind: 'phone', value: '+84912345678' };

export function lookupOf(kind: Lookup['kind'], code: string, by = SOMEBODY): Lookup {
  const locks = kind === 'redeem' ? ['customer:475'] : [];
  return { kind, by, code, fromMs: NOW, deadlineMs: NOW, baseline: [], locks };
}

/** A call that did not succeed, or whose outcome is unknown. */
export function fail(call: Call, kind: 'refused' | 'unavailable' | 'unknown' | 'busy'): Outcome {
  const { operation } = call;
  if (kind !== 'unknown') return { kind, operation };
  const lookup =
    call.kind === 'redeem' ? lookupOf('redeem', call.gift, call.by) : lookupOf('accumulate', call.code);
  return { kind, operation, lookup };
}
