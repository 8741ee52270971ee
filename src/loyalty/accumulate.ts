import type { Effect, EffectContext, Identifier, Known, Lookup, Outcome } from '../conversation/effect.ts';
import { measureSkew } from './clock.ts';
import { movement, readPoints } from './history.ts';
import { callOf, intend, readsFor, type Tools } from './intent.ts';
import { NOBODY, rememberCode } from './locks.ts';
import type { AntCrm, Contact } from './port.ts';
import { readBack, windowStart } from './reconcile.ts';
import { carries } from './wire.ts';

type Accumulate = Extract<Effect, { kind: 'accumulate' }>;

/**
 * Adds the points of a code, calling once. A code is good once at AntCRM, so it needs no lock and no baseline; the intent
 * is written all the same, because a refused repeat would hide the first call's success. Its record is remembered by the
 * code, before anything else is done: whoever looks the same code up, in whatever conversation, must not take it for theirs.
 */
export async function accumulate(effect: Accumulate, context: EffectContext, tools: Tools): Promise<Outcome> {
  const { operation, code, name } = effect;
  const { antcrm } = tools;
  const linked = await link(readsFor(context, antcrm), tools.contacts, effect.phone, effect.email);
  const { phone, email, by } = linked;
  const fromMs = windowStart(context.nowMs(), measureSkew(tools, context));
  const when = { fromMs, ...callOf(context, tools) };
  const lookup: Lookup = { kind: 'accumulate', by, code, ...when, baseline: [], locks: [] };

  // On its way before the call is, which waits for nothing: should AntCRM answer the call first, the two tell no balance.
  const pointsBefore = isProved(by, effect) ? readPoints(by, context, tools) : undefined;
  const intended = await intend(context, operation, { lookup });
  if (intended === 'unreplicated') return { kind: 'unavailable', operation };

  // Nobody's name is given to a record that may be somebody else's.
  const ownName = isProved(by, effect) ? name : undefined;
  const call = await antcrm.accumulate({ code, phone, email, name: ownName });
  switch (call.kind) {
    case 'applied': {
      const [receipt, before, after] = await Promise.all([
        readBack(lookup, NOBODY, context, tools).then(async (receipt) => {
          await rememberCode(lookup, operation, receipt?.record, context);
          return receipt;
        }),
        pointsBefore,
        pointsBefore && readPoints(by, context, tools),
      ]);
      const balance = movement(before === null ? 0 : before, after);
      return { kind: 'applied', operation, receipt, ...(balance && { balance }) };
    }
    case 'unknown':
      return { kind: 'unknown', operation, lookup };
    case 'refused':
    case 'unavailable':
      return { kind: call.kind, operation };
  }
}

/** The points are the sender's own: a balance is shown to nobody else. */
function isProved({ kind }: Identifier, { phone, email }: Pick<Accumulate, 'phone' | 'email'>): boolean {
  return (kind === 'phone' ? phone : email)?.proved === true;
}

/** What an accumulation carries. `by`: the identifier that its history is read by. */
export type Carried = { readonly phone?: string; readonly email?: string; readonly by: Identifier };

/**
 * The linking rule (SECURITY.md, "Threats"): AntCRM may join a phone and an e-mail that are sent together, so a
 * stranger could tie their e-mail to somebody's phone. Both go only where that changes nobody's record but the
 * sender's; otherwise the phone goes alone, because customers are asked which phone gets the points. Without `contacts`
 * nothing can be looked up and both are sent (docs/configuration.md, `ANTCRM_CONTACTS`).
 */
export async function link(
  reads: Pick<AntCrm, 'contact'>,
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

const onlyPhone = ({ value }: Known): Carried => ({ phone: value, by: { kind: 'phone', value } });
const onlyEmail = ({ value }: Known): Carried => ({ email: value, by: { kind: 'email', value } });

async function mayGoTogether(reads: Pick<AntCrm, 'contact'>, phone: Known, email: Known): Promise<boolean> {
  const byPhone: Identifier = { kind: 'phone', value: phone.value };
  const byEmail: Identifier = { kind: 'email', value: email.value };
  const [ofPhone, ofEmail] = await Promise.all([reads.contact(byPhone), reads.contact(byEmail)]);
  if (!ofPhone.ok || !ofEmail.ok) return false;

  if (ofPhone.value !== null && ofEmail.value !== null)
    return isOneRecord(ofPhone.value, ofEmail.value, byPhone, byEmail);
  // AntCRM finds one of them on no record; the record of the other may list it all the same.
  if (ofEmail.value !== null) return carries(ofEmail.value, byPhone);
  return phone.proved || ofPhone.value === null || carries(ofPhone.value, byEmail);
}

/** Two answers are one record if their ids say so; where an id is missing, if each lists the other's identifier. */
function isOneRecord(ofPhone: Contact, ofEmail: Contact, phone: Identifier, email: Identifier): boolean {
  const [one, other] = [ofPhone.customerId, ofEmail.customerId];
  if (one !== undefined && other !== undefined) return one === other;
  return carries(ofPhone, email) && carries(ofEmail, phone);
}
