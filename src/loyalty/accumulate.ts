import type { Effect, Identifier, Lookup, Outcome, ProvableValue } from '../conversation/effect.ts';
import { readPoints, toMovement } from './history.ts';
import { rememberCode } from './locks.ts';
import type { AntCrm } from './port.ts';
import { readBack, windowStart } from './reconcile.ts';
import type { Session } from './session.ts';
import { hasIdentifier } from './wire.ts';

type Accumulate = Extract<Effect, { kind: 'accumulate' }>;
const NO_OTHERS = { settled: [], awaited: [] };
type ContactReads = Pick<AntCrm, 'contact'>;

/**
 * Adds the points of a code, calling once. A code is good once, so it needs no lock and no baseline. The
 * intent is stored all the same: a refused repeat would hide the first success. The record is remembered by
 * the code before anything else is done, so that no other conversation takes it.
 */
export async function accumulate(effect: Accumulate, session: Session): Promise<Outcome> {
  const { operation, code, name } = effect;
  const { phone, email, by } = await chooseIdentifiers(effect, session, session.tools.contacts);
  const isProved = effect[by.kind]?.proved === true;
  // Only a proved sender's balance is read, and only such a sender may give the record a name.
  const readMs = session.context.nowMs();
  const pointsBefore = isProved ? await readPoints(by, session) : undefined;
  const balance = pointsBefore === undefined ? {} : { balance: { points: pointsBefore, readMs } };
  const times = { fromMs: windowStart(session), ...session.callTimes() };
  const lookup: Lookup = { kind: 'accumulate', by, code, ...times, baseline: [], locks: [], ...balance };
  const permit = await session.intend(operation, { lookup });
  if (permit === 'unreplicated' || permit === 'interrupted') return { kind: 'unavailable', operation };

  const { kind } = await session.accumulate({
    code,
    phone,
    email,
    name: isProved ? name : undefined,
    permit,
  });
  if (kind === 'unknown') {
    // If nothing was read before the call, its own answer may show AntCRM's clock.
    const { skew = session.skew } = lookup;
    return { kind, operation, lookup: { ...lookup, skew, dateMs: session.dateMs } };
  }
  if (kind !== 'applied') return { kind, operation };
  const answeredMs = session.context.nowMs();
  const pointsAfter = pointsBefore === undefined ? undefined : readPoints(by, session);
  const receipt = await readBack({ lookup, answeredMs, others: NO_OTHERS }, session);
  await rememberCode(session.context, { lookup, operation, record: receipt?.record });
  const movement = toMovement(pointsBefore ?? 0, await pointsAfter);
  if (movement) session.tools.canary.noteBalance(movement, receipt?.score);
  return { kind, operation, receipt, ...(movement && { balance: movement }) };
}

/** The identifiers that an accumulation sends. Its history is read by `by`. */
export type SentIdentifiers = { readonly phone?: string; readonly email?: string; readonly by: Identifier };

/**
 * The linking rule (SECURITY.md, "Threats"): AntCRM may join a phone and an e-mail that are sent together, so
 * a stranger could tie their e-mail to another person's phone. Both are sent only if this changes no record
 * but the sender's. Otherwise only the phone is sent: customers are asked which phone gets the points.
 * Without `/contacts` both are sent.
 */
export async function chooseIdentifiers(
  { phone, email }: Pick<Accumulate, 'phone' | 'email'>,
  reads: ContactReads,
  contacts: 'on' | 'off',
): Promise<SentIdentifiers> {
  const byPhone = phone && ({ kind: 'phone', value: phone.value } as const);
  const byEmail = email && ({ kind: 'email', value: email.value } as const);
  if (!byPhone || !byEmail) {
    if (byPhone) return { phone: byPhone.value, by: byPhone };
    if (byEmail) return { email: byEmail.value, by: byEmail };
    throw new Error('An accumulation needs a phone or an e-mail');
  }
  const isAllowed = contacts === 'off' || (await mayLink(phone, email, reads));
  if (!isAllowed) return { phone: phone.value, by: byPhone };
  const by = email.proved && !phone.proved ? byEmail : byPhone;
  return { phone: phone.value, email: email.value, by };
}

async function mayLink(phone: ProvableValue, email: ProvableValue, reads: ContactReads): Promise<boolean> {
  const byPhone = { kind: 'phone', value: phone.value } as const;
  const byEmail = { kind: 'email', value: email.value } as const;
  const [ofPhone, ofEmail] = await Promise.all([reads.contact(byPhone), reads.contact(byEmail)]);
  if (!ofPhone.ok || !ofEmail.ok) return false;
  if (ofPhone.value && ofEmail.value) {
    const id = ofPhone.value.customerId;
    const otherId = ofEmail.value.customerId;
    if (id !== undefined && otherId !== undefined) return id === otherId;
    return hasIdentifier(ofPhone.value, byEmail) && hasIdentifier(ofEmail.value, byPhone);
  }
  // AntCRM finds no record for one of them, but the record of the other may list it.
  if (ofEmail.value) return hasIdentifier(ofEmail.value, byPhone);
  return phone.proved || ofPhone.value === null || hasIdentifier(ofPhone.value, byEmail);
}
