import type { Context, Gift } from './context.ts';
import type { Identifier, ProvableValue } from './effect.ts';
import type { Scope } from './flow.ts';
import { choice, type Line, type Reply } from './reply.ts';
import type { Identity, Operation, State } from './state.ts';

/** Staff write, for a customer who is with them. */
export const isStaff = ({ sender }: Pick<Context, 'sender'>): boolean => sender.proof === 'token';

/** Typing proves an identifier if staff vouch for it, or the operator waived proof. */
export function isTypingProof({ sender, settings }: Context): boolean {
  return isStaff({ sender }) || settings.identityProof === 'off';
}

/** A typed value. It is proved only if typing proves an identifier here. */
export const toTypedValue = (value: string, context: Context): ProvableValue => ({
  value,
  proved: isTypingProof(context),
});

/** The known phone and e-mail, the proved ones first. */
export function collectIdentity(state: State, context: Context): Identity {
  const vouched =
    context.sender.email === undefined ? undefined : { value: context.sender.email, proved: true };
  const believe = (known: Identity['phone']) => {
    if (!known || !isTypingProof(context)) return known;
    return { ...known, proved: true };
  };
  const { draft, profile } = state;
  const phone = preferProved(draft.phone, believe(profile.phone));
  const email = preferProved(draft.email ?? undefined, vouched) ?? believe(profile.email);
  return pickIdentity({ phone, email });
}

/** The first one, unless only the second is proved. */
const preferProved = (first: Identity['phone'], second: Identity['phone']): Identity['phone'] =>
  first?.proved || !second?.proved ? (first ?? second) : second;

/** The proved phone, else the proved e-mail (SECURITY.md): reading and spending need one. */
export function findProof(draft: Identity): Identifier | undefined {
  if (draft.phone?.proved) return { kind: 'phone', value: draft.phone.value };
  if (draft.email?.proved) return { kind: 'email', value: draft.email.value };
  return undefined;
}

/** The phone and e-mail that are known. */
export function pickIdentity({ phone, email }: Identity): State['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}

/** The variant of a wording that speaks to staff about the customer. */
export function pickVariant(context: Context): 'staff' | undefined {
  return isStaff(context) ? 'staff' : undefined;
}

/** Whether a phone counts only if it is shared: a typed one is not enough. */
export function isProofAsked({ sender, settings }: Context): boolean {
  return sender.proof === 'contact' && settings.identityProof === 'required';
}

/** A Vietnamese number in national form, `0867123456`; undefined for others. */
function toNational(e164: string): string | undefined {
  return /^\+84\d{9,10}$/.test(e164) ? `0${e164.slice(3)}` : undefined;
}

/** A phone (E.164) as people read it: `0867 123 456`; others are not split. */
export function showPhone(e164: string): string {
  const digits = toNational(e164) ?? e164;
  return digits.length === 10 ? `${digits.slice(0, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}` : digits;
}

/** A phone that only its owner recognises: `0867 *** 456`, `+44 *** 123`. */
export function maskPhone(e164: string): string {
  if (e164.length < 9) return '***';
  const start = toNational(e164)?.slice(0, 4) ?? e164.slice(0, 3);
  return `${start} *** ${e164.slice(-3)}`;
}

/** `ga***@gmail.com`: the first two letters, never all of them. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '***';
  return `${email.slice(0, Math.min(2, at - 1))}***${email.slice(at)}`;
}

/** Phone and e-mail, a line each. A value that was not typed now is masked: others may see the screen. */
export function identityLines(
  { phone, email }: Identity,
  isMasked: (known: ProvableValue, kind: 'phone' | 'email') => boolean,
): Line[] {
  const shownPhone = phone && (isMasked(phone, 'phone') ? maskPhone : showPhone)(phone.value);
  const shownEmail = email && (isMasked(email, 'email') ? maskEmail(email.value) : email.value);
  return [
    ...(shownPhone ? [{ key: 'summary.phone', params: { phone: shownPhone } }] : []),
    ...(shownEmail ? [{ key: 'summary.email', params: { email: shownEmail } }] : []),
  ];
}

/** `TIVI***pfg`: enough to tell two codes apart, too little to use one. */
export function maskCode(code: string): string {
  if (code.length < 10) return `${code.slice(0, Math.floor(code.length / 3))}***`;
  return `${code.slice(0, 4)}***${code.slice(-3)}`;
}

/** The status that the customer knows: "not applied" while the last check is still to come. */
export const toShownStatus = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

/** "+100 điểm · Tivi" if AntCRM's record was read, and where to get the gift. */
export function receiptLines(operation: Operation, scope: Scope): Line[] {
  const { kind, status, receipt, gift: code, code: earnedBy } = operation;
  if (earnedBy !== undefined) return [codeLine(operation)];
  const gift = findGift(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined) return pickUp;
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

/** The codes, one a line. */
export function codeLines(codes: readonly string[]): Line[] {
  const context = codes.length > 1 ? 'several' : undefined;
  return codes.map((code, at) => ({ key: 'summary.code', context, params: { code, at: at + 1 } }));
}

/** What became of one of several codes: "TIVI000000301: +100 điểm · Tivi". */
export function codeLine({ id, code = '', status, receipt }: Operation): Line {
  const params = { code, reference: id };
  const { score, what } = receipt ?? {};
  if (status !== 'done' || score === undefined)
    return { key: 'receipt.code', context: toShownStatus(status), params };
  const context = what === undefined ? 'unnamed' : 'scored';
  return { key: 'receipt.code', context, params: { ...params, score, what: what ?? '' } };
}

/** The customer's points after an operation, if the operation has them. */
export function balanceLines(last: Operation | undefined): Line[] {
  const points = last?.receipt?.balance;
  return points === undefined ? [] : [{ key: 'receipt.balance', params: { points } }];
}

/** The gift of the operator's list that has this code. */
export const findGift = (code: string | undefined, { settings }: Pick<Context, 'settings'>) =>
  settings.gifts.find((gift) => gift.code === code);

/** Where to get a gift, if the list says so. */
export function pickUpLines({ pickUp }: Gift): Line[] {
  return pickUp ? [{ key: 'receipt.pickUp', params: { where: pickUp } }] : [];
}

type Afford = { readonly price?: number | undefined; readonly points?: number | null | undefined };

/**
 * The gift, its price, which only AntCRM knows if there is no list, and what is left of the points if they
 * are known.
 */
export function giftLines(code: string, { price, points }: Afford, scope: Pick<Context, 'settings'>): Line[] {
  const gift = findGift(code, scope);
  if (!gift) return [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
  const { name, description, score: listed } = gift;
  const score = price ?? listed;
  const left = points == null ? [] : [{ key: 'summary.left', params: { left: Math.max(points - score, 0) } }];
  return [
    { key: 'summary.gift', params: { gift: name } },
    ...(description ? [{ key: 'summary.description', params: { text: description } }] : []),
    { key: 'summary.price', params: { score } },
    ...left,
  ];
}

/** The most buttons of a list of gifts, and the most lines below them. */
const MAX_BUTTONS = 10;
const MAX_LINES = 30;

/** Asks which gift. Affordable gifts come first; the others say how many points are missing. */
export function askGift(
  gifts: readonly Gift[],
  points: number | undefined,
  asked: Pick<Reply, 'context' | 'params'>,
): Reply {
  const isTooExpensive = ({ score }: Gift) => points !== undefined && score > points;
  const inOrder = [...gifts.filter((gift) => !isTooExpensive(gift)), ...gifts.filter(isTooExpensive)];
  const say = (gift: Gift, key: string): Line => {
    const { name, score } = gift;
    const params = { name, score, ...(isTooExpensive(gift) && { missing: score - (points ?? 0) }) };
    return { key, context: isTooExpensive(gift) ? 'dear' : undefined, params };
  };
  const choices = inOrder
    .slice(0, MAX_BUTTONS)
    .map((gift) => choice(`gift:${gift.code}`, say(gift, 'choice.gift')));
  const others = inOrder.slice(MAX_BUTTONS);
  const left = others.length - MAX_LINES;
  const lines: Line[] = [
    { key: 'gift.others' },
    ...others.slice(0, MAX_LINES).map((gift) => say(gift, 'gift.other')),
    ...(left > 0 ? [{ key: 'gift.left', params: { count: left } }] : []),
  ];
  return { key: 'redeem.askGift', ...asked, ...(others.length > 0 && { lines }), choices, asks: 'code' };
}

/** Ends the question without an answer. The end of the next flow asks it again. */
export function leaveConsent(state: State): State {
  return state.step.at === 'consenting' ? { ...state, step: { at: 'idle' } } : state;
}

/**
 * The profile to remember. A typed value never replaces a known one: it may be another person's. It is
 * unproved, also where the operator waives proof.
 */
export function mergeProfile({ draft, profile }: State, { settings }: Context): State['profile'] {
  const isAsked = settings.identityProof === 'required';
  const kept = { ...profile };
  for (const kind of ['phone', 'email'] as const) {
    const value = draft[kind];
    const isBetter = value?.proved || !kept[kind];
    if (value && isBetter) kept[kind] = { ...value, proved: value.proved && isAsked };
  }
  return kept;
}
