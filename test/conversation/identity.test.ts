import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import type { Sender } from '../../src/conversation/message.ts';
import { Dialogue, STAFF, TEAMS, TELEGRAM } from '../support/dialogue.ts';

/** Who writes. On Teams only the profile of a trusted tenant proves anything; staff vouch for what they type. */
const CHANNELS = {
  telegram: TELEGRAM,
  'teams, our tenant': TEAMS,
  'teams, another tenant': { channel: 'teams', proof: 'profile', name: 'Garnacho' },
  staff: STAFF,
} satisfies Record<string, Sender>;

const FLOWS = ['accumulate', 'redeem', 'history', 'points'] as const;
type Flow = (typeof FLOWS)[number];

/** What comes with it. A forwarded contact reaches the core as somebody else's (test/channels/telegram/incoming). */
const PROOFS = ['nothing', 'typed', 'foreign contact', 'own contact'] as const;
type Proof = (typeof PROOFS)[number];

const PHONE = { kind: 'phone', value: '+84867123456' } as const;
const EMAIL = { kind: 'email', value: 'garnacho@gmail.com' } as const;

/** Goes through a flow with what is offered; the effect that came of it, if any did. */
function goes(chat: Dialogue, flow: Flow, proof: Proof): Effect | undefined {
  const begins = { accumulate: 'tích điểm TIVI000000017', redeem: 'đổi quà DAUMAY01', history: 'lịch sử' };
  chat.text(flow === 'points' ? 'xem điểm' : begins[flow]);
  if (proof === 'typed') chat.text('0867123456');
  if (proof === 'foreign contact') chat.send({ kind: 'contact', phone: '84867123456', own: false });
  if (proof === 'own contact') chat.shareOwnPhone();
  for (const answer of ['skip', 'history:point', 'period:all', 'confirm']) {
    if (chat.question.choices?.some(({ id }) => id.split(':')[0] === answer || id === answer)) {
      chat.press(answer);
    }
  }
  return chat.effects.at(-1);
}

/** Whom the effect reads, spends or earns for, and whether that was proved. */
function of(effect: Effect | undefined): string {
  if (effect === undefined) return 'nothing';
  if (effect.kind === 'accumulate') {
    const named = (['phone', 'email'] as const).flatMap((kind) => {
      const known = effect[kind];
      return known ? [`${known.proved ? 'proved' : 'typed'} ${kind}`] : [];
    });
    return named.join(' and ');
  }
  return 'by' in effect ? `proved ${effect.by.kind}` : 'nothing';
}

type Expected = Record<Proof, string>;
const all = (outcome: string): Expected => ({
  nothing: outcome,
  typed: outcome,
  'foreign contact': outcome,
  'own contact': outcome,
});

/** Earning needs a phone, of whomever; reading and spending need a proof. */
const MATRIX: Record<keyof typeof CHANNELS, { earning: Partial<Expected>; reading: Partial<Expected> }> = {
  telegram: {
    earning: {
      nothing: 'nothing',
      typed: 'typed phone',
      'foreign contact': 'typed phone',
      'own contact': 'proved phone',
    },
    reading: { ...all('nothing'), 'own contact': 'proved phone' },
  },
  'teams, our tenant': {
    earning: {
      nothing: 'nothing',
      typed: 'typed phone and proved email',
      'foreign contact': 'typed phone and proved email',
    },
    reading: { nothing: 'proved email', typed: 'proved email', 'foreign contact': 'proved email' },
  },
  'teams, another tenant': {
    earning: { nothing: 'nothing', typed: 'typed phone', 'foreign contact': 'typed phone' },
    reading: { nothing: 'nothing', typed: 'nothing', 'foreign contact': 'nothing' },
  },
  staff: {
    earning: { nothing: 'nothing', typed: 'proved phone', 'own contact': 'proved phone' },
    reading: { nothing: 'nothing', typed: 'proved phone', 'own contact': 'proved phone' },
  },
};

const cases = Object.entries(CHANNELS).flatMap(([channel, sender]) =>
  FLOWS.flatMap((flow) =>
    PROOFS.flatMap((proof) => {
      const { earning, reading } = MATRIX[channel as keyof typeof CHANNELS];
      const expected = (flow === 'accumulate' ? earning : reading)[proof];
      return expected === undefined ? [] : [{ channel, sender, flow, proof, expected }];
    }),
  ),
);

describe('what may be read or spent', () => {
  test.each(cases)('$channel, $flow with $proof: $expected', ({ sender, flow, proof, expected }) => {
    const chat = new Dialogue(sender);
    const effect = goes(chat, flow, proof);
    expect(of(effect)).toBe(expected);
    if (effect && 'by' in effect) expect([PHONE, EMAIL]).toContainEqual(effect.by);
  });

  test('whoever shows no proof hears the same, whoever they name', () => {
    const answers = ['0867123456', '0999999999'].map((phone) => {
      const chat = new Dialogue().text('đổi quà DAUMAY01').text(phone);
      return chat.replies.map(({ key, context, params, lines }) => ({ key, context, params, lines }));
    });
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]?.key).toBe('identity.proofNeeded');
  });

  test('what another flow was told unproved is worth nothing when it comes to reading', () => {
    const chat = new Dialogue()
      .text('tích điểm TIVI000000017 0867123456 garnacho@gmail.com')
      .press('confirm');
    chat.press('consent:accept');
    for (const text of ['xem điểm', 'lịch sử', 'đổi quà DAUMAY01']) {
      expect(chat.text(text).keys).toContain('identity.proofNeeded');
    }
    expect(chat.effects).toHaveLength(1);
  });

  test('what was proved is remembered, also where points were earned once for somebody else', () => {
    const chat = new Dialogue()
      .shareOwnPhone()
      .text('tích điểm TIVI000000017')
      .press('skip')
      .press('confirm');
    chat.press('consent:accept').text('TIVI000000018').text('số của vợ 0912345740').press('confirm');
    expect(chat.calls[1]).toMatchObject({ phone: { value: '+84912345740', proved: false } });
    expect(chat.text('xem điểm').keys).toEqual(['points.balance']);
    chat.text('TIVI000000019').press('confirm');
    expect(chat.calls[2]).toMatchObject({ phone: { value: PHONE.value, proved: true } });
  });

  test('an e-mail without proof goes along as such, for AntCRM’s record to decide', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000017 0867123456 minh@example.vn').press('confirm');
    chat.press('consent:accept').text('đổi quà DAUMAY01').shareOwnPhone().press('confirm');
    expect(chat.calls[1]).toMatchObject({
      kind: 'redeem',
      by: PHONE,
      also: { kind: 'email', value: 'minh@example.vn', proved: false },
    });
  });
});

describe('what staff type where proof is asked for', () => {
  test.each(['sdt 0867123456', 'sdt cua minh la 0867123456', 'so 0867123456 nhe', 'my phone is 0867123456'])(
    'may be labelled: %s',
    (text) => {
      for (const sender of [STAFF, TELEGRAM]) {
        const chat = new Dialogue(sender, { identityProof: 'off' });
        expect(chat.text('xem diem').text(text).keys[0]).toBe('points.balance');
        expect(chat.effects).toEqual([{ kind: 'balance', by: PHONE }]);
        expect(new Dialogue(STAFF).text('doi qua loa').text(text).keys).toEqual(['redeem.summary']);
      }
    },
  );

  test('may be a labelled e-mail, or a guess to be asked about', () => {
    const chat = new Dialogue(STAFF).text('xem diem').text('email garnacho@gmail.com');
    expect(chat.effects).toEqual([{ kind: 'balance', by: EMAIL }]);
    expect(new Dialogue(STAFF).text('xem diem').text('sdt 867123456').keys).toEqual(['phone.leadingZero']);
    expect(new Dialogue(STAFF).text('xem diem').text('email minh@gmail.con').keys).toEqual(['email.typo']);
  });

  test('is asked for in their words; a customer who is believed is asked in theirs', () => {
    expect(new Dialogue(STAFF).text('xem điểm').question).toMatchObject({ context: 'staff' });
    const kiosk = new Dialogue(undefined, { identityProof: 'off' }).text('xem điểm').question;
    expect(kiosk.key).toBe('identity.ask');
    expect(kiosk.context).toBeUndefined();
  });
});

describe('what customers type where proof is asked for', () => {
  test('proves nothing, labelled or not', () => {
    for (const text of ['sdt 0867123456', '0867123456', 'email garnacho@gmail.com', 'lấy loa 0867123456']) {
      const chat = new Dialogue().text('đổi quà DAUMAY01').text(text);
      expect(chat.question.key, text).toBe('identity.proofNeeded');
      expect(chat.effects).toEqual([]);
    }
  });

  test('is called a typed number only where it is one', () => {
    const chat = new Dialogue().text('xem điểm');
    for (const [text, context] of [
      ['0867123456', 'typed'],
      ['😀', 'again'],
      ['abc', 'again'],
      ['091234567a', 'again'],
      ['sdt 0867123456', 'typed'],
    ])
      expect(chat.text(text ?? '').question, text).toMatchObject({ key: 'identity.proofNeeded', context });
  });
});

describe('a shared phone', () => {
  test('that changed replaces the old one and is confirmed, in the middle of a flow, too', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
    expect(chat.shareOwnPhone('84912345678').replies[0]).toMatchObject({
      key: 'identity.phone',
      context: 'replaced',
      params: { phone: '0912 345 678' },
    });
    expect(chat.press('confirm').calls[0]).toMatchObject({ by: { value: '+84912345678' } });
  });

  test('that is shared again is confirmed', () => {
    const chat = new Dialogue().shareOwnPhone();
    expect(chat.keys).toEqual(['identity.phone']);
    expect(chat.shareOwnPhone().keys).toEqual(['identity.phone']);
  });

  test('of somebody else replaces nothing that is proved', () => {
    const chat = new Dialogue().text('đổi quà DAUMAY01').shareOwnPhone();
    expect(chat.send({ kind: 'contact', phone: '84912345678', own: false }).keys).toEqual([
      'identity.notOwn',
      'redeem.summary',
    ]);
    expect(chat.press('confirm').calls[0]).toMatchObject({ by: PHONE });
  });
});

describe('what is read back', () => {
  /** A customer who agreed to be remembered with what they typed. */
  const remembered = () =>
    new Dialogue()
      .text('tích điểm TIVI000000017 0912345678 minh@example.vn')
      .press('confirm')
      .press('consent:accept');
  const shown = (chat: Dialogue): string => JSON.stringify(chat.replies);

  test('is masked where nobody proved it', () => {
    const chat = remembered().text('tích điểm TIVI000000018');
    expect(chat.keys).toEqual(['accumulate.summary']);
    expect(shown(chat)).toContain('0912 *** 678');
    expect(shown(chat)).toContain('mi***@example.vn');
    expect(shown(chat)).not.toMatch(/912 ?345 ?678|minh@/);
    expect(shown(remembered().text('/privacy'))).not.toMatch(/912 ?345 ?678|minh@/);
  });

  test('is shown in full while it is being typed, for mistakes to be seen', () => {
    const chat = new Dialogue().text('tích điểm TIVI000000018 0912345678 minh@example.vn');
    expect(shown(chat)).toContain('0912 345 678');
    expect(shown(chat)).toContain('minh@example.vn');
  });

  test('of receipts, pages and balances carries nobody’s phone or e-mail', () => {
    const chat = new Dialogue().text('lịch sử tích điểm 30 ngày').shareOwnPhone();
    expect(chat.keys).toEqual(['history.page']);
    expect(shown(chat)).not.toMatch(/867|@/);
    chat.text('xem điểm').shareOwnPhone();
    expect(shown(chat.text('xem điểm'))).not.toMatch(/867 ?123|@/);
  });
});

describe('a shared contact with an old number', () => {
  const OLD = '841667123456';

  test('is asked about, and proved once its new number is agreed to', () => {
    const chat = new Dialogue(TELEGRAM).text('đổi loa').shareOwnPhone(OLD);
    expect(chat.keys).toEqual(['phone.mapped']);
    expect(chat.effects).toEqual([]);
    expect(JSON.stringify(chat.question)).toContain('367');
    chat.press('use').press('confirm');
    expect(chat.calls).toMatchObject([{ kind: 'redeem', by: { kind: 'phone', value: '+84367123456' } }]);
  });

  test.each(['không', 'sai rồi'])('is not taken where it is declined: %s', (text) => {
    const chat = new Dialogue(TELEGRAM).text('đổi loa').shareOwnPhone(OLD).text(text);
    expect(chat.state.draft.phone).toBeUndefined();
    expect(chat.question.asks).toBe('phone');
  });

  test('of somebody else earns, and is no proof', () => {
    const chat = new Dialogue(TELEGRAM).text('tích điểm TIVI000000017');
    chat.send({ kind: 'contact', phone: OLD, own: false });
    expect(chat.keys).toEqual(['phone.mapped']);
    expect(chat.press('use').state.draft.phone).toEqual({ value: '+84367123456', proved: false });
  });

  test('outside of a flow is kept by nobody', () => {
    const chat = new Dialogue(TELEGRAM).shareOwnPhone(OLD);
    expect(chat.keys).toEqual(['phone.mapped.form']);
    expect(chat.state.draft).toEqual({});
  });
});
