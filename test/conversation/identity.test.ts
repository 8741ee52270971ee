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
});
