import type { Identifier, Known } from '../conversation/effect.ts';
import type { Reads } from './journal.ts';
import type { Contact } from './loyalty.ts';

/** What an accumulation carries. `by`: the identifier that its history is read by. */
export type Carried = {
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly by: Identifier;
};

/**
 * The linking rule (docs/design.md, "Linking"): AntCRM may join a phone and an e-mail that are sent together, so a
 * stranger could tie their e-mail to somebody's phone. Both go only where that changes nobody's record but the
 * sender's; otherwise the phone goes alone, because customers are asked which phone gets the points. Without `contacts`
 * nothing can be looked up and both are sent (docs/configuration.md, `ANTCRM_CONTACTS`).
 */
export async function link(
  reads: Pick<Reads, 'contact'>,
  contacts: 'on' | 'off',
  phone: Known | undefined,
  email: Known | undefined,
): Promise<Carried> {
  if (phone !== undefined && email !== undefined) {
    const together = contacts === 'off' || (await mayGoTogether(reads, phone, email));
    if (!together) return onlyPhone(phone);
    const { by } = email.proved && !phone.proved ? onlyEmail(email) : onlyPhone(phone);
    return { phone: phone.value, email: email.value, by };
  }
  if (phone !== undefined) return onlyPhone(phone);
  if (email !== undefined) return onlyEmail(email);
  throw new Error('An accumulation needs a phone or an e-mail');
}

/** Whether AntCRM's record of a customer lists this identifier. */
export function carries(contact: Contact, identifier: Identifier): boolean {
  return identifier.kind === 'phone'
    ? contact.phones.includes(identifier.value)
    : contact.emails.includes(identifier.value.toLowerCase());
}

const onlyPhone = ({ value }: Known): Carried => ({ phone: value, by: { kind: 'phone', value } });
const onlyEmail = ({ value }: Known): Carried => ({ email: value, by: { kind: 'email', value } });

async function mayGoTogether(reads: Pick<Reads, 'contact'>, phone: Known, email: Known): Promise<boolean> {
  const byPhone: Identifier = { kind: 'phone', value: phone.value };
  const byEmail: Identifier = { kind: 'email', value: email.value };
  const [ofPhone, ofEmail] = await Promise.all([reads.contact(byPhone), reads.contact(byEmail)]);
  if (!ofPhone.ok || !ofEmail.ok) return false;

  if (ofPhone.value !== null && ofEmail.value !== null) {
    return isOneRecord(ofPhone.value, ofEmail.value, byPhone, byEmail);
  }
  // AntCRM finds one of them on no record; the record of the other may list it all the same.
  if (ofEmail.value !== null) return carries(ofEmail.value, byPhone);
  return phone.proved || ofPhone.value === null || carries(ofPhone.value, byEmail);
}

/** Two answers are one record if their ids say so; where an id is missing, if each lists the other's identifier. */
function isOneRecord(ofPhone: Contact, ofEmail: Contact, phone: Identifier, email: Identifier): boolean {
  if (ofPhone.customerId !== undefined && ofEmail.customerId !== undefined) {
    return ofPhone.customerId === ofEmail.customerId;
  }
  return carries(ofPhone, email) && carries(ofEmail, phone);
}
