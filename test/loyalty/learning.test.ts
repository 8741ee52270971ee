import { expect, it } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import { chooseIdentifiers } from '../../src/loyalty/accumulate.ts';
import type { Contact, Read } from '../../src/loyalty/port.ts';
import { createKit, EMAIL, PHONE } from './kit.ts';

/*
 * What AntCRM may learn by a call that names a phone and an e-mail: in every world of two records, with and
 * without ids, of which both, one or none know the other identifier.
 */

const [P, E] = [PHONE.value, EMAIL.value];
type Found = Contact | null | 'down';

const knowing = (phones: readonly string[], emails: readonly string[]): readonly Found[] =>
  [undefined, '1', '2'].map((customerId) => ({
    phones: [...phones],
    emails: [...emails],
    ...(customerId !== undefined && { customerId }),
  }));
const OF_PHONE: readonly Found[] = ['down', null, ...knowing([P], []), ...knowing([P], [E])];
const OF_EMAIL: readonly Found[] = ['down', null, ...knowing([], [E]), ...knowing([P], [E])];
const WORLDS = OF_PHONE.flatMap((ofPhone) => OF_EMAIL.map((ofEmail) => ({ ofPhone, ofEmail })));
type World = (typeof WORLDS)[number];

const toRead = (found: Found): Read<Contact | null> =>
  found === 'down' ? { ok: false, reason: 'unavailable' } : { ok: true, value: found };
const knowsBoth = ({ phones, emails }: Contact) => phones.includes(P) && emails.includes(E);
const isContact = (found: Found): found is Contact => found !== null && found !== 'down';

/** What AntCRM would learn from both identifiers in one call. */
function learns({ ofPhone, ofEmail }: World): 'nothing' | 'own e-mail' | 'something of others' {
  if (ofPhone === 'down' || ofEmail === 'down') return 'something of others';
  const records = [ofPhone, ofEmail].filter(isContact);
  const ids = records.map(({ customerId }) => customerId);
  // One customer, by AntCRM's own word.
  if (records.length === 2 && !ids.includes(undefined))
    return ids[0] === ids[1] ? 'nothing' : 'something of others';
  if (records.every(knowsBoth)) return 'nothing';
  return isContact(ofPhone) && ofEmail === null ? 'own e-mail' : 'something of others';
}

it('a call that earns names both only if nobody else’s record learns by it', async () => {
  for (const world of WORLDS)
    for (const phone of [true, false])
      for (const email of [true, false]) {
        const sent = await chooseIdentifiers(
          { phone: { value: P, proved: phone }, email: { value: E, proved: email } },
          { contact: async ({ kind }) => toRead(kind === 'phone' ? world.ofPhone : world.ofEmail) },
          'on',
        );
        const learnt = learns(world);
        const mayNameBoth = learnt === 'nothing' || (learnt === 'own e-mail' && phone);
        expect({ world, phone, email, sent: [sent.phone, sent.email] }).toEqual({
          world,
          phone,
          email,
          sent: [P, mayNameBoth ? E : undefined],
        });
      }
});

/** A redemption by one identifier; the customer gave the other, too. */
const redeemBy = (kind: 'phone' | 'email', proved: boolean): Extract<Effect, { kind: 'redeem' }> => ({
  kind: 'redeem',
  operation: 'OP1',
  gift: 'DAUMAY01',
  by: kind === 'phone' ? PHONE : EMAIL,
  also: { ...(kind === 'phone' ? EMAIL : PHONE), proved },
});

it.each(['phone', 'email'] as const)(
  'a call that spends by %s names the other only if the record that is spent from lists it',
  async (kind) => {
    for (const { ofPhone, ofEmail } of WORLDS)
      for (const proved of [true, false]) {
        const own = kind === 'phone' ? ofPhone : ofEmail;
        const { antcrm, perform } = createKit();
        antcrm.contact = async (by) => toRead(by.kind === 'phone' ? ofPhone : ofEmail);
        await perform(redeemBy(kind, proved));
        const isCalled = own !== 'down';
        const isListed = isContact(own) && knowsBoth(own);
        const sent = antcrm.redeemed.map(({ phone, email }) => [phone, email]);
        const both = [P, E];
        const alone = kind === 'phone' ? [P, undefined] : [undefined, E];
        expect({ ofPhone, ofEmail, proved, sent }).toEqual({
          ofPhone,
          ofEmail,
          proved,
          sent: isCalled ? [isListed ? both : alone] : [],
        });
      }
  },
);
