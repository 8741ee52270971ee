import { expect, it } from 'vitest';
import { chooseIdentifiers } from '../../src/loyalty/accumulate.ts';
import type { AntCrm, Contact } from '../../src/loyalty/port.ts';
import { createKit, EMAIL, PHONE } from './kit.ts';

/** Whose record AntCRM finds by an identifier: none, the customer's or a stranger's. */
type Owner = 'new' | 'mine' | 'theirs';

/**
 * What is sent when the phone is typed, and when it is proved; whether the e-mail is proved changes nothing.
 */
const MATRIX: [phone: Owner, email: Owner, typed: 'both' | 'phone', proved: 'both' | 'phone'][] = [
  ['new', 'new', 'both', 'both'],
  ['new', 'mine', 'phone', 'phone'],
  ['mine', 'new', 'phone', 'both'],
  ['mine', 'mine', 'both', 'both'],
  ['mine', 'theirs', 'phone', 'phone'],
];

function backendOf(...contacts: Contact[]) {
  const { antcrm } = createKit();
  antcrm.contacts.push(...contacts);
  return antcrm;
}

const link = (backend: Pick<AntCrm, 'contact'>, phone?: boolean, email?: boolean) =>
  chooseIdentifiers(
    {
      ...(phone !== undefined && { phone: { value: PHONE.value, proved: phone } }),
      ...(email !== undefined && { email: { value: EMAIL.value, proved: email } }),
    },
    backend,
    'on',
  );

const ONLY_PHONE = { phone: PHONE.value, by: PHONE };
const BOTH = { ...ONLY_PHONE, email: EMAIL.value };

it.each(MATRIX)('a phone that is %s and an e-mail that is %s: %s; a proved phone: %s', async (...row) => {
  const [ofPhone, ofEmail, typed, proved] = row;
  const owned = (['mine', 'theirs'] as const).map((owner) => ({
    customerId: owner,
    phones: ofPhone === owner ? [PHONE.value] : [],
    emails: ofEmail === owner ? [EMAIL.value] : [],
  }));
  for (const phone of [true, false]) {
    for (const email of [true, false]) {
      const both = email && !phone ? { ...BOTH, by: EMAIL } : BOTH;
      const expected = (phone ? proved : typed) === 'both' ? both : ONLY_PHONE;
      expect(await link(backendOf(...owned), phone, email)).toEqual(expected);
    }
  }
});

it('asks AntCRM only if the customer gave both phone and e-mail', async () => {
  const backend = backendOf();
  expect(await link(backend, false)).toEqual(ONLY_PHONE);
  expect(await link(backend, undefined, false)).toEqual({ email: EMAIL.value, by: EMAIL });
  expect(backend.lookups).toEqual([]);
});

it('sends only the phone if AntCRM cannot be asked', async () => {
  for (const down of ['phone', 'email']) {
    const contact: AntCrm['contact'] = async ({ kind }) =>
      kind === down ? { ok: false, reason: 'unavailable' } : { ok: true, value: null };
    for (const proved of [true, false]) expect(await link({ contact }, proved, true)).toEqual(ONLY_PHONE);
  }
});

const ofPhone = { phones: [PHONE.value], emails: [] };
const ofEmail = { phones: [], emails: [EMAIL.value] };

it.each<[string, Contact[], object]>([
  ['both have one id', [ofPhone, ofEmail].map((one) => ({ ...one, customerId: '1' })), BOTH],
  ['one lists both, without an id', [{ phones: [PHONE.value], emails: [EMAIL.value] }], BOTH],
  ['each lists one, without an id', [ofPhone, ofEmail], ONLY_PHONE],
])('tells one customer from two where %s', async (_, contacts, expected) => {
  expect(await link(backendOf(...contacts), false, false)).toEqual(expected);
});
