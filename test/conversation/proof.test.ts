import { describe, expect, it } from 'vitest';
import type { CodeSent, CodeTried, ProofEffect } from '../../src/conversation/proof.ts';
import { Dialogue, NOW, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';

const HOUR_MS = 3_600_000;
const { email: _, ...STRANGER } = TEAMS;
const PHONE = '+84867123456';
/** The points, and the question that follows what a flow found. */
const READ = ['points.balance', 'privacy.consent'];

type Ends = { sent?: Omit<CodeSent, 'kind'>; tried?: object };

/** A customer of a shop that sends codes; `123456` is always right. */
function customer(sender = STRANGER, cooldownMs = 0): Dialogue & { ends: Ends } {
  const chat = Object.assign(new Dialogue(sender, { proof: { cooldownMs } }), { ends: {} as Ends });
  chat.prove = (effect: ProofEffect) => {
    if (effect.kind === 'sendCode') return { kind: 'codeSent', result: 'sent', ...chat.ends.sent };
    const right = { result: 'right', provedMs: chat.nowMs };
    const tried = effect.code === '123456' ? right : { result: 'wrong', left: 2, ...chat.ends.tried };
    return { kind: 'codeTried', ...tried } as CodeTried;
  };
  return chat;
}

const idsOf = (chat: Dialogue) => chat.question.choices?.map(({ id }) => id);

describe('a customer whose platform proves nothing', () => {
  it('is offered a code, proves a phone by it, and goes on with the wish', () => {
    const chat = customer().text('đổi quà DAUMAY01');
    expect(chat.question).toMatchObject({ key: 'identity.noEmail', context: 'code', asks: 'phone' });
    chat.press('code:send');
    expect(chat.question).toMatchObject({ key: 'identity.codePhone', asks: 'phone' });
    chat.text('0867 123 456');
    expect(chat.question).toMatchObject({ key: 'identity.codeSent', asks: 'proof' });
    expect(chat.proofs).toEqual([{ kind: 'sendCode', phone: PHONE, purpose: 'redeem', locale: 'vi' }]);
    chat.text('123456');
    expect(chat.question).toMatchObject({ key: 'redeem.summary' });
    expect(chat.state.draft.phone).toEqual({ value: PHONE, proved: true, codeMs: NOW });
    chat.press('confirm');
    expect(chat.effects.at(-1)).toMatchObject({ kind: 'redeem', by: { kind: 'phone', value: PHONE } });
  });

  it('gets the code at the phone that was typed before', () => {
    const chat = customer().text('xem điểm').text('0867123456');
    expect(chat.question).toMatchObject({ key: 'identity.noEmail', context: 'typedCode' });
    expect(chat.proofs).toEqual([]);
    expect(chat.press('code:send').keys).toEqual(['identity.codeSent']);
    expect(chat.proofs).toMatchObject([{ phone: PHONE, purpose: 'points' }]);
  });

  it('is not asked for a code where the shop sends none', () => {
    const chat = new Dialogue(STRANGER).text('xem điểm');
    expect(chat.question).toMatchObject({ key: 'identity.noEmail', asks: 'menu' });
    expect(idsOf(chat)).not.toContain('code:send');
    chat.send({ kind: 'choice', choice: 'code:send', view: chat.question.view ?? '' });
    expect([chat.keys, chat.proofs]).toEqual([['menu'], []]);
  });
});

it('what is said about data names who sends the codes, where there are any', () => {
  const contextFor = (chat: Dialogue) => chat.text('/privacy').replies[0]?.context;
  expect(contextFor(customer())).toBe('code');
  expect(contextFor(new Dialogue(STRANGER))).toBeUndefined();
  expect(contextFor(customer(STAFF))).toBe('staff');
});

it('on Telegram a code is another way beside the shared contact', () => {
  const chat = customer(TELEGRAM).text('xem điểm');
  expect(chat.question).toMatchObject({ key: 'identity.proofNeeded', sharePhone: true });
  expect(idsOf(chat)).toContain('code:send');
  chat.press('code:send').text('0867123456');
  expect(chat.keys).toEqual(['identity.codeSent']);
  expect(chat.shareOwnPhone().keys).toEqual(READ);
});

it('staff are never asked for a code', () => {
  const chat = customer(STAFF).text('xem điểm').text('0867123456');
  expect([chat.keys, chat.proofs]).toEqual([['points.balance'], []]);
});

/** At the question for a code. */
function asked(cooldownMs = 0) {
  const chat = customer(STRANGER, cooldownMs);
  chat.text('xem điểm').press('code:send').text('0867123456');
  return chat;
}

describe('at the question for a code', () => {
  it.each(['123456', '123 456', 'mã là 123-456', '１２３４５６ ạ', 'ma 123.456 nhe'])(
    '%s is the code',
    (text) => {
      expect(asked().text(text).keys).toEqual(READ);
    },
  );

  it('a wrong code is told with the tries that are left, the last one with a button for another', () => {
    const chat = asked();
    chat.text('654321');
    expect(chat.replies[0]).toMatchObject({ key: 'identity.codeWrong', params: { left: 2 } });
    chat.ends.tried = { left: 0 };
    expect(chat.text('654322').keys).toEqual(['identity.codeWrong', 'identity.codeExpired']);
    expect(chat.press('code:again').keys).toEqual(['identity.codeSent']);
  });

  it('an old code is told, and too many tries end it', () => {
    const chat = asked();
    chat.ends.tried = { result: 'expired' };
    expect(chat.text('654321').keys).toEqual(['identity.codeExpired']);
    chat.ends.tried = { result: 'limited', untilMs: NOW + HOUR_MS };
    expect(chat.text('654321').keys).toEqual(['identity.codeLimit', 'identity.noEmail']);
    expect(chat.state.draft.proof).toBeUndefined();
  });

  it('another phone gets a code of its own', () => {
    const chat = asked().text('0912345678');
    expect(chat.keys).toEqual(['identity.codeSent']);
    expect(chat.proofs.map(({ phone }) => phone)).toEqual([PHONE, '+84912345678']);
  });

  it('other texts are understood as ever, and no number of others is a code', () => {
    const chat = asked();
    expect(chat.text('12345').question).toMatchObject({ asks: 'proof' });
    expect(chat.text('sao phải xác nhận').question).toMatchObject({ asks: 'proof' });
    expect(chat.proofs).toHaveLength(1);
    expect(chat.text('huỷ').keys).toEqual(['cancel.done']);
  });

  it('a code counts for the wish that it was sent for', () => {
    const chat = asked().text('đổi quà DAUMAY01');
    expect(chat.state.draft.proof).toBeUndefined();
    chat.text('123456');
    expect(chat.proofs).toHaveLength(1);
  });
});

describe('a code that', () => {
  const send = (sent: Omit<CodeSent, 'kind'>) => {
    const chat = customer();
    chat.text('xem điểm').press('code:send');
    chat.ends.sent = sent;
    chat.text('0867123456');
    return chat;
  };

  it('was perhaps sent counts, and the reply says "perhaps"', () => {
    const chat = send({ result: 'unknown' });
    expect(chat.replies).toMatchObject([{ key: 'identity.codeSent', context: 'unsure' }]);
    expect([chat.proofs.length, chat.text('123456').keys]).toEqual([1, READ]);
  });

  it('the gateway refuses is not sent again: another number is asked for', () => {
    const chat = send({ result: 'refused' });
    expect(chat.keys).toEqual(['identity.codeRefused', 'identity.codePhone']);
    expect(chat.proofs).toHaveLength(1);
  });

  it('cannot be sent now leaves the customer where they were', () => {
    const chat = send({ result: 'unavailable' });
    expect(chat.keys).toEqual(['identity.codeFailed', 'identity.noEmail']);
    chat.ends.sent = { result: 'sent' };
    expect(chat.press('code:send').keys).toEqual(['identity.codeSent']);
  });

  it('is one too many is refused with the time of the next; the one before still counts', () => {
    const first = send({ result: 'limited', untilMs: NOW + HOUR_MS });
    expect(first.replies[0]).toMatchObject({ key: 'identity.codeLimit', params: { at: NOW + HOUR_MS } });
    const chat = asked();
    chat.ends.sent = { result: 'limited', untilMs: NOW + HOUR_MS };
    expect(chat.press('code:again').keys).toEqual(['identity.codeLimit', 'identity.codeSent']);
    expect(chat.text('123456').keys).toEqual(READ);
  });

  it('goes to a landline or abroad is never sent', () => {
    for (const phone of ['02838123456', '+14155552671']) {
      const chat = customer().text('xem điểm').press('code:send').text(phone);
      expect([chat.keys, chat.proofs]).toEqual([['identity.codeMobile', 'identity.codePhone'], []]);
    }
  });
});

it('a phone that a code proved reads at once and spends after the cooldown', () => {
  const chat = asked(24 * HOUR_MS).text('123456');
  expect(chat.keys[0]).toBe('points.balance');
  chat.press('consent:accept').text('đổi quà DAUMAY01');
  expect(chat.replies).toMatchObject([{ key: 'identity.codeCooldown', params: { at: NOW + 24 * HOUR_MS } }]);
  chat.later(24 * HOUR_MS).text('đổi quà DAUMAY01');
  expect(chat.keys).toEqual(['redeem.summary']);
});

it('without a cooldown a phone spends at once, also if the clock of the proof is ahead', () => {
  const chat = customer();
  chat.text('đổi quà DAUMAY01').press('code:send').text('0867123456');
  chat.prove = () => ({ kind: 'codeTried', result: 'right', provedMs: chat.nowMs + 40 });
  expect(chat.text('123456').keys).toEqual(['redeem.summary']);
});

it('the cooldown holds after the history, and after a flow that was set aside', () => {
  const chat = customer(STRANGER, 24 * HOUR_MS);
  chat.text('lịch sử điểm tất cả').press('code:send').text('0867123456').text('123456');
  expect(chat.keys).toEqual(['history.page']);
  expect(chat.text('đổi quà DAUMAY01').keys).toEqual(['identity.codeCooldown']);
  chat.text('lịch sử điểm tuần này').press('next');
  expect(chat.text('đổi quà DAUMAY01').keys).toEqual(['identity.codeCooldown']);
});

it('a flow that was set aside sends no code when it goes on', () => {
  const chat = customer();
  chat.text('đổi quà DAUMAY01').press('code:send').text('0867123456').text('tích điểm TIVI000000017');
  chat.text('huỷ').text('đổi quà');
  expect(chat.question).toMatchObject({ key: 'identity.noEmail' });
  expect(chat.proofs).toHaveLength(1);
});

it('no code is kept, nor shown to staff', () => {
  const chat = asked();
  chat.settings = { ...chat.settings, handover: true };
  chat.text('gặp nhân viên').press('person:leave');
  chat.text('654321').text('mã 765432 đâu rồi').text('cancel').text('876543').text('987654');
  chat.text('gặp nhân viên').text('mã của tôi là 112233');
  expect(chat.state.tickets?.at(-1)?.notes.at(-1)?.text).toBe('mã của tôi là ••••••');
  expect(JSON.stringify(chat.state)).not.toMatch(/654321|765432|876543|987654|112233/);
});

it('a code is tried while staff answer, too', () => {
  const chat = asked();
  chat.settings = { ...chat.settings, handover: true };
  expect(chat.text('gặp nhân viên').keys).toEqual(['person.waiting']);
  chat.text('654321');
  expect(chat.proofs).toHaveLength(2);
  expect(JSON.stringify(chat.state.tickets)).not.toContain('654321');
});

describe('in words, at the question for a code', () => {
  it.each(['gửi lại mã', 'dạ gửi lại mã giúp em với ạ', 'cho mình xin mã mới nha', 'resend the code please'])(
    '"%s" sends another one',
    (text) => {
      const chat = asked().text(text);
      expect([chat.keys, chat.proofs.filter(({ kind }) => kind === 'sendCode')]).toMatchObject([
        ['identity.codeSent'],
        [{}, {}],
      ]);
    },
  );

  it.each(['chưa nhận được mã', 'mã đâu?', 'em chưa thấy mã ạ', 'I did not get the code'])(
    '"%s" sends nothing, and points at the button',
    (text) => {
      const chat = asked().text(text);
      expect(chat.replies.map(({ key, params }) => [key, params?.text])).toMatchObject([
        ['answer', { key: 'answer.proof.missing' }],
        ['identity.codeSent', undefined],
      ]);
      expect(idsOf(chat)).toContain('code:again');
      expect(chat.proofs.filter(({ kind }) => kind === 'sendCode')).toHaveLength(1);
    },
  );

  it.each(['đừng gửi lại mã', 'không cần gửi lại mã đâu'])('"%s" sends nothing', (text) => {
    const chat = asked().text(text);
    expect(chat.proofs.filter(({ kind }) => kind === 'sendCode')).toHaveLength(1);
  });

  it('elsewhere such words are no wish for a code', () => {
    const chat = customer().text('gửi lại mã');
    expect(chat.proofs).toEqual([]);
  });
});
