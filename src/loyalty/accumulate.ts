import type { Effect, Identifier, Known, Lookup, Outcome } from '../conversation/effect.ts';
import { readPoints, toMovement } from './history.ts';
import { NO_OPERATIONS, rememberCode } from './locks.ts';
import type { AntCrm } from './port.ts';
import { readBack, windowStart } from './reconcile.ts';
import type { Session } from './session.ts';
import { carries } from './wire.ts';

type Accumulate = Extract<Effect, { kind: 'accumulate' }>;

/**
 * Adds the points of a code, calling once. A code is good once at AntCRM, so it needs no lock and no baseline. The intent is
 * stored all the same, because a refused repeat would hide the first call's success. Its record is remembered by the code
 * before anything else is done: no other conversation that looks the code up may take it.
 */
export async function accumulate(effect: Accumulate, session: Session): Promise<Outcome> {
  const { operation, code, name } = effect;
  const { phone, email, by } = await chooseIdentifiers(effect, session, session.tools.contacts);
  const fromMs = windowStart(session);
  const when = { fromMs, ...session.callTimes() };
  const lookup: Lookup = { kind: 'accumulate', by, code, ...when, baseline: [], locks: [] };

  // The points are the sender's own only where the identifier is proved: nobody else is told a balance or gets the name.
  const isProved = effect[by.kind]?.proved === true;
  // Sent before the call, which does not wait for it. If AntCRM answers the call first, no balance is told.
  const pointsBefore = isProved ? readPoints(by, session) : undefined;
  const intended = await session.intend(operation, { lookup });
  if (intended === 'unreplicated') return { kind: 'unavailable', operation };

  const { kind } = await session.accumulate({ code, phone, email, name: isProved ? name : undefined });
  if (kind === 'unknown') {
    // The call's own answer may tell AntCRM's clock, where nothing was read before it.
    const { skew = session.skew } = lookup;
    return { kind, operation, lookup: { ...lookup, skew } };
  }
  if (kind !== 'applied') return { kind, operation };
  const [receipt, before, after] = await Promise.all([
    findReceipt(lookup, operation, session),
    pointsBefore,
    pointsBefore && readPoints(by, session),
  ]);
  const balance = toMovement(before === null ? 0 : before, after);
  return { kind, operation, receipt, ...(balance && { balance }) };
}

async function findReceipt(lookup: Lookup, operation: string, session: Session) {
  const receipt = await readBack(lookup, NO_OPERATIONS, session);
  await rememberCode(session.context, { lookup, operation, record: receipt?.record });
  return receipt;
}

/** What an accumulation carries. `by`: the identifier by which its history is read. */
export type Carried = { readonly phone?: string; readonly email?: string; readonly by: Identifier };

/**
 * The linking rule (SECURITY.md, "Threats"): AntCRM may join a phone and an e-mail that are sent together, so a stranger could
 * tie their e-mail to another person's phone. Both are sent only where that changes no record but the sender's. Else the
 * phone is sent alone, because customers are asked which phone gets the points. Without `/contacts` nothing can be looked
 * up, and both are sent (docs/configuration.md, `ANTCRM_CONTACTS`).
 */
export async function chooseIdentifiers(
  { phone, email }: Pick<Accumulate, 'phone' | 'email'>,
  antcrm: Pick<AntCrm, 'contact'>,
  contacts: 'on' | 'off',
): Promise<Carried> {
  const byPhone = phone && ({ kind: 'phone', value: phone.value } as const);
  const byEmail = email && ({ kind: 'email', value: email.value } as const);
  if (!byPhone || !byEmail) {
    if (byPhone) return { phone: byPhone.value, by: byPhone };
    if (byEmail) return { email: byEmail.value, by: byEmail };
    throw new Error('An accumulation needs a phone or an e-mail');
  }
  const isAllowed = contacts === 'off' || (await mayGoTogether(phone, email, antcrm));
  if (!isAllowed) return { phone: phone.value, by: byPhone };
  const by = email.proved && !phone.proved ? byEmail : byPhone;
  return { phone: phone.value, email: email.value, by };
}

async function mayGoTogether(phone: Known, email: Known, antcrm: Pick<AntCrm, 'contact'>): Promise<boolean> {
  const byPhone = { kind: 'phone', value: phone.value } as const;
  const byEmail = { kind: 'email', value: email.value } as const;
  const [ofPhone, ofEmail] = await Promise.all([antcrm.contact(byPhone), antcrm.contact(byEmail)]);
  if (!ofPhone.ok || !ofEmail.ok) return false;
  if (ofPhone.value && ofEmail.value) {
    const { customerId } = ofPhone.value;
    const isKnown = customerId !== undefined && ofEmail.value.customerId !== undefined;
    if (isKnown) return customerId === ofEmail.value.customerId;
    return carries(ofPhone.value, byEmail) && carries(ofEmail.value, byPhone);
  }
  // AntCRM finds one of them on no record; the record of the other may list it all the same.
  if (ofEmail.value) return carries(ofEmail.value, byPhone);
  return phone.proved || ofPhone.value === null || carries(ofPhone.value, byEmail);
}
