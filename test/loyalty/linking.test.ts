import { describe, expect, it } from 'vitest';
import type { ProvableValue } from '../../src/conversation/effect.ts';
import { chooseIdentifiers } from '../../src/loyalty/accumulate.ts';
import type { AntCrm, Contact } from '../../src/loyalty/port.ts';
import { createKit, EMAIL, type FakeAntcrm, PHONE } from './operations.doubles.ts';

/** Whose record AntCRM finds by an identifier: nobody's, the customer's, or one of two strangers'. */
type Owner = 'new' | 'mine' | 'theirs' | 'others';
type Sent = 'both' | 'phone';

/** What is sent when the phone is typed, and when it is proved; whether the e-mail is proved changes nothing. */
const MATRIX: [phone: Owner, email: Owner, typed: Sent, proved: Sent][] = [
  ['new', 'new', 'both', 'both'],
  ['new', 'mine', 'phone', 'phone'],
  ['new', 'theirs', 'phone', 'phone'],
  ['mine', 'new', 'phone', 'both'],
  ['mine', 'mine', 'both', 'both'],
  ['mine', 'theirs', 'phone', 'phone'],
  ['theirs', 'new', 'phone', 'both'],
  ['theirs', 'mine', 'phone', 'phone'],
  ['theirs', 'theirs', 'both', 'both'],
  ['theirs', 'others', 'phone', 'phone'],
];

const phone = (proved: boolean): ProvableValue => ({ value: PHONE.value, proved });
const email = (proved: boolean): ProvableValue => ({ value: EMAIL.value, proved });

function antcrm(...contacts: Contact[]): FakeAntcrm {
  const { antcrm: fake } = createKit();
  fake.contacts.push(...contacts);
  return fake;
}

function owned(ofPhone: Owner, ofEmail: Owner): Contact[] {
  return (['mine', 'theirs', 'others'] as const).map((owner) => ({
    customerId: owner,
    phones: ofPhone === owner ? [PHONE.value] : [],
    emails: ofEmail === owner ? [EMAIL.value] : [],
  }));
}

/** What an accumulation carries of a phone and an e-mail. */
function link(
  antcrm: Pick<AntCrm, 'contact'>,
  phone?: ProvableValue,
  email?: ProvableValue,
  contacts: 'on' | 'off' = 'on',
) {
  return chooseIdentifiers({ phone, email }, antcrm, contacts);
}

const sent = {
  both: (by: 'phone' | 'email') => ({
    phone: PHONE.value,
    email: EMAIL.value,
    by: by === 'phone' ? PHONE : EMAIL,
  }),
  phone: () => ({ phone: PHONE.value, by: PHONE }),
};

describe('linking', () => {
  const cases = MATRIX.flatMap(([ofPhone, ofEmail, typed, proved]) => [
    { ofPhone, ofEmail, isPhone: false, isEmail: false, expected: typed },
    { ofPhone, ofEmail, isPhone: true, isEmail: false, expected: proved },
    { ofPhone, ofEmail, isPhone: false, isEmail: true, expected: typed },
    { ofPhone, ofEmail, isPhone: true, isEmail: true, expected: proved },
  ]);

  it.each(cases)(
    'sends $expected: phone $ofPhone (proved: $isPhone), e-mail $ofEmail (proved: $isEmail)',
    async ({ ofPhone, ofEmail, isPhone, isEmail, expected }) => {
      const carried = await link(antcrm(...owned(ofPhone, ofEmail)), phone(isPhone), email(isEmail));
      expect(carried).toEqual(sent[expected](isEmail && !isPhone ? 'email' : 'phone'));
    },
  );

  it('asks AntCRM for both at once, and only where both are given', async () => {
    const backend = antcrm();
    expect(await link(backend, phone(false), undefined)).toEqual({ phone: PHONE.value, by: PHONE });
    expect(await link(backend, undefined, email(false))).toEqual({ email: EMAIL.value, by: EMAIL });
    expect(backend.lookups).toEqual([]);

    const pending = link(backend, phone(false), email(false));
    expect(backend.lookups).toEqual([PHONE, EMAIL]);
    await pending;
  });

  it('sends the phone alone where AntCRM cannot be asked', async () => {
    const backend = antcrm();
    backend.down.add('contact');
    expect(await link(backend, phone(true), email(true))).toEqual(sent.phone());
    expect(await link(backend, phone(false), email(true))).toEqual(sent.phone());
    const half: Pick<AntCrm, 'contact'> = {
      contact: async ({ kind }) =>
        kind === 'email' ? { ok: false, reason: 'unavailable' } : { ok: true, value: null },
    };
    expect(await link(half, phone(true), email(true))).toEqual(sent.phone());
  });

  it('tells one customer by the id, whatever the two records list', async () => {
    const [ofPhone, ofEmail] = [
      { phones: [PHONE.value], emails: [] },
      { phones: [], emails: [EMAIL.value] },
    ];
    const records = (id: string) => [
      { ...ofPhone, customerId: '475' },
      { ...ofEmail, customerId: id },
    ];
    expect(await link(antcrm(...records('475')), phone(false), email(false))).toEqual(sent.both('phone'));
    expect(await link(antcrm(...records('476')), phone(false), email(false))).toEqual(sent.phone());
  });

  it('tells one record by what it lists where ids are missing', async () => {
    const one = { phones: [PHONE.value], emails: [EMAIL.value] };
    expect(await link(antcrm(one), phone(false), email(false))).toEqual(sent.both('phone'));

    const two = [
      { phones: [PHONE.value], emails: [] },
      { phones: [], emails: [EMAIL.value] },
    ];
    expect(await link(antcrm(...two), phone(false), email(false))).toEqual(sent.phone());
  });
});
