import { describe, expect, it } from 'vitest';
import {
  type AskerRecord,
  admit,
  CODE_MS,
  issue,
  mayTry,
  type NumberRecord,
  noteWrong,
  TRIES,
  tryCode,
  withdraw,
} from '../../src/proof/limits.ts';
import type { Transition } from '../../src/records/versioned-records.ts';
import { NOW } from '../support/dialogue.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A record of which nothing is known but what its transitions answer. */
function holding<Content>() {
  let record: Content | null = null;
  let nowMs = NOW;
  return {
    later(ms: number): void {
      nowMs += ms;
    },
    apply<Answer>(transition: Transition<Content, Answer>): Answer {
      const changed = transition(record, nowMs);
      record = changed.record;
      return changed.answer;
    },
    get nowMs() {
      return nowMs;
    },
  };
}

/** A phone number: codes are called by their words. */
function numberOf() {
  const number = holding<NumberRecord>();
  let ids = 0;
  const fresh = () => `m${++ids}`;
  return {
    ...number,
    number,
    ask: (by: string, code = 'right', id = fresh()) => number.apply(issue({ by, id, mac: code })),
    guess: (by: string, code = 'wrong', id = fresh()) => number.apply(tryCode({ by, id, mac: code })),
  };
}

describe('a number', () => {
  it('gets three codes in ten minutes and six in a day, whichever conversations ask', () => {
    const { ask, later, number } = numberOf();
    const kinds = () => ['a', 'a', 'b', 'c'].map((by) => ask(by).kind);
    expect(kinds()).toEqual(['issued', 'issued', 'issued', 'limited']);
    expect(ask('a')).toEqual({ kind: 'limited', untilMs: NOW + 10 * MINUTE_MS });
    later(10 * MINUTE_MS);
    expect(kinds()).toEqual(['issued', 'issued', 'issued', 'limited']);
    later(10 * MINUTE_MS);
    expect(ask('a')).toEqual({ kind: 'limited', untilMs: NOW + DAY_MS });
    expect(number.nowMs).toBe(NOW + 20 * MINUTE_MS);
    later(DAY_MS - 20 * MINUTE_MS);
    expect(kinds()).toEqual(['issued', 'issued', 'issued', 'limited']);
  });

  it('keeps the last code of a day for the conversation that asked first, until that one got its second', () => {
    const { ask, later } = numberOf();
    ask('owner');
    for (const by of ['b', 'c', 'd', 'e']) {
      later(10 * MINUTE_MS);
      expect(ask(by).kind).toBe('issued');
    }
    later(10 * MINUTE_MS);
    expect(ask('f').kind).toBe('limited');
    expect(ask('owner').kind).toBe('issued');
    later(10 * MINUTE_MS);
    expect(ask('owner').kind).toBe('limited');
  });

  it('gets no further code if its tries could exceed twelve wrong ones in a day', () => {
    const { ask, guess, later } = numberOf();
    for (let code = 0; code < 4; code++) {
      expect(ask(`stranger${code}`).kind).toBe('issued');
      for (let tries = 0; tries < TRIES; tries++) guess(`stranger${code}`);
      later(10 * MINUTE_MS);
    }
    expect(ask('stranger4')).toEqual({ kind: 'limited', untilMs: NOW + DAY_MS });
  });
});

describe('a code', () => {
  it('counts once, in its own conversation', () => {
    const { ask, guess } = numberOf();
    ask('a', '111111');
    ask('b', '222222');
    expect(guess('b', '111111')).toEqual({ kind: 'wrong', left: 2 });
    expect(guess('c', '111111')).toEqual({ kind: 'expired' });
    expect(guess('a', '111111')).toEqual({ kind: 'right', provedMs: NOW });
    expect(guess('a', '111111')).toEqual({ kind: 'expired' });
  });

  it('counts for five minutes', () => {
    const { ask, guess, later } = numberOf();
    ask('a');
    later(CODE_MS - 1);
    expect(guess('a', 'right').kind).toBe('right');
    ask('a');
    later(CODE_MS);
    expect(guess('a', 'right').kind).toBe('expired');
  });

  it('ends at the third wrong try', () => {
    const { ask, guess } = numberOf();
    ask('a');
    expect([guess('a'), guess('a'), guess('a')]).toMatchObject([{ left: 2 }, { left: 1 }, { left: 0 }]);
    expect(guess('a', 'right').kind).toBe('expired');
  });

  it('ends when its conversation gets a new code, not when another conversation does', () => {
    const { ask, guess } = numberOf();
    ask('a', 'first');
    ask('b');
    ask('a', 'second');
    expect(guess('a', 'first').kind).toBe('wrong');
    expect(guess('a', 'second').kind).toBe('right');
  });

  it('stays valid for its conversation, however many other conversations ask for codes', () => {
    const { ask, guess, later } = numberOf();
    for (const by of ['b', 'c']) {
      ask(by);
      for (let tries = 0; tries < TRIES; tries++) guess(by);
    }
    later(10 * MINUTE_MS);
    expect(ask('owner').kind).toBe('issued');
    for (let flood = 0; flood < 30; flood++) {
      ask(`f${flood % 5}`);
      guess(`f${flood % 5}`);
    }
    expect(guess('owner', 'right').kind).toBe('right');
  });
});

describe('a message that is worked on again after a crash', () => {
  it('issues no second code', () => {
    const { ask, guess } = numberOf();
    expect(ask('a', 'right', 'm').kind).toBe('issued');
    expect(ask('a', 'other', 'm').kind).toBe('repeated');
    expect(guess('a', 'right').kind).toBe('right');
  });

  it('gets the same answer, and counts once', () => {
    const { ask, guess } = numberOf();
    ask('a');
    expect(guess('a', 'wrong', 'm')).toEqual(guess('a', 'wrong', 'm'));
    expect(guess('a', 'right', 'n')).toEqual({ kind: 'right', provedMs: NOW });
    expect(guess('a', 'right', 'n')).toEqual({ kind: 'right', provedMs: NOW });
  });
});

it('a code that was surely not sent is given back', () => {
  const { ask, guess, number } = numberOf();
  for (let times = 0; times < 8; times++) {
    expect(ask('a', 'right', 'm').kind).toBe('issued');
    number.apply(withdraw({ by: 'a', id: 'm' }));
  }
  expect(guess('a', 'right').kind).toBe('expired');
});

it('a code counts again if the one after it could not be sent', () => {
  const { ask, guess, number } = numberOf();
  ask('a', 'first');
  expect(guess('a')).toEqual({ kind: 'wrong', left: 2 });
  for (const id of ['m', 'n']) {
    ask('a', 'second', id);
    number.apply(withdraw({ by: 'a', id }));
  }
  expect(guess('a', 'second')).toEqual({ kind: 'wrong', left: 1 });
  expect(guess('a', 'first')).toEqual({ kind: 'right', provedMs: NOW });
});

it('a number that one conversation proves twice counts as proved since the first time', () => {
  const { ask, guess, later } = numberOf();
  ask('a');
  guess('a', 'right');
  later(DAY_MS);
  ask('a');
  ask('b');
  expect(guess('a', 'right')).toEqual({ kind: 'right', provedMs: NOW });
  expect(guess('b', 'right')).toEqual({ kind: 'right', provedMs: NOW + DAY_MS });
});

describe('a conversation', () => {
  it('asks for three numbers in a day', () => {
    const { apply, later } = holding<AskerRecord>();
    const kinds = (...numbers: string[]) => numbers.map((number) => apply(admit(number)).kind);
    expect(kinds('1', '2', '3', '1', '4')).toEqual([...Array(4).fill('admitted'), 'limited']);
    later(DAY_MS);
    expect(kinds('4', '5')).toEqual(['admitted', 'admitted']);
  });

  it('makes six wrong tries in a day', () => {
    const { apply, later } = holding<AskerRecord>();
    for (const id of ['1', '2', '3', '4', '5', '5']) apply(noteWrong(id));
    expect(apply(mayTry()).kind).toBe('admitted');
    apply(noteWrong('6'));
    expect(apply(mayTry())).toEqual({ kind: 'limited', untilMs: NOW + DAY_MS });
    expect(apply(admit('1')).kind).toBe('limited');
    later(DAY_MS);
    expect(apply(mayTry()).kind).toBe('admitted');
  });
});
