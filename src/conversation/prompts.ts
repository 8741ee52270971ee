import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Context, Gift } from './context.ts';
import type { Identifier, Known } from './effect.ts';
import type { Scope } from './flow.ts';
import { choice, type Line, type Reply } from './reply.ts';
import type { Draft, Identity, Operation, State, Step } from './state.ts';

/** Whoever writes serves a customer beside them, and vouches for what they type. */
export const isStaff = ({ sender }: Pick<Context, 'sender'>): boolean => sender.proof === 'token';

/** Typing proves an identifier only where staff vouch for it, or where the operator waived proof. */
export function isTypingProof({ sender, settings }: Context): boolean {
  return isStaff({ sender }) || settings.identityProof === 'off';
}

/** What typing an identifier is worth here. */
export const typed = (value: string, context: Context): Known => ({ value, proved: isTypingProof(context) });

/** The phone and e-mail a new flow starts with: of the flow just left, of the profile, of the channel's profile. */
export function carried(state: State, context: Context): Identity {
  const vouched =
    context.sender.email === undefined ? undefined : { value: context.sender.email, proved: true };
  const phone = better(state.draft.phone, state.profile.phone);
  const email = better(state.draft.email ?? undefined, vouched) ?? state.profile.email;
  return given({ phone, email });
}

/** The first one, unless only the second is proved. */
function better(first: Known | undefined, second: Known | undefined): Known | undefined {
  return first?.proved || !second?.proved ? (first ?? second) : second;
}

/** The identifier that reading or spending goes by: a proved phone, else a proved e-mail (SECURITY.md, "Who is trusted with what"). */
export function proved(draft: Identity): Identifier | undefined {
  if (draft.phone?.proved) return { kind: 'phone', value: draft.phone.value };
  if (draft.email?.proved) return { kind: 'email', value: draft.email.value };
  return undefined;
}

/** The phone and e-mail that are known. */
export function given({ phone, email }: Identity): State['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}

/** What of a draft is proved. */
export function provedIn({ phone, email }: Identity): Identity {
  return { ...(phone?.proved && { phone }), ...(email?.proved && { email }) };
}

/** An operation was asked of AntCRM: whom staff serve next may be somebody else, who has to be named. */
export function served(state: State, context: Context): State {
  return isStaff(context) ? withoutIdentity(remembering(state, context)) : state;
}

/** Whom staff served stays one tap away, until the next one is. */
export function remembering(state: State, context: Context): State {
  const { phone, email } = state.draft;
  if (!isStaff(context) || (phone ?? email) == null) return state;
  return { ...state, before: given(state.draft) };
}

/** Nobody is named any more: another customer's turn begins. */
export function withoutIdentity(state: State): State {
  const { phone: _, email: __, ...draft } = state.draft;
  return { ...state, draft };
}

/** Staff ask and answer for the customer beside them: the variant of a wording that speaks of the customer. */
export function whose(context: Context): 'staff' | undefined {
  return isStaff(context) ? 'staff' : undefined;
}

/** Whether a phone counts only where it is shared. */
export function isProofAsked({ sender, settings }: Context): boolean {
  return sender.proof === 'contact' && settings.identityProof === 'required';
}

/** A Vietnamese number in national form, `0867123456`; undefined for others. */
function national(e164: string): string | undefined {
  return /^\+84\d{9,10}$/.test(e164) ? `0${e164.slice(3)}` : undefined;
}

/** A phone (E.164) as people read it: `0867 123 456`, `024 3825 1234`, foreign ones `+44 7700 900123`. */
export function showPhone(e164: string): string {
  const digits = national(e164);
  if (digits === undefined) return parsePhoneNumberFromString(e164)?.formatInternational() ?? e164;
  if (digits.length === 10) return `${digits.slice(0, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`;
  // Hanoi and Ho Chi Minh City have area codes of three digits, everybody else of four.
  const area = /^02[48]/.test(digits) ? 3 : 4;
  return `${digits.slice(0, area)} ${digits.slice(area, 7)} ${digits.slice(7)}`;
}

/** A phone that its owner recognises and nobody else can use: `0867 *** 456`, `+44 *** 123`. */
export function maskPhone(e164: string): string {
  if (e164.length < 9) return '***';
  const digits = national(e164);
  const country = parsePhoneNumberFromString(e164)?.countryCallingCode;
  const start = digits?.slice(0, 4) ?? (country === undefined ? '' : `+${country}`);
  return `${start} *** ${e164.slice(-3)}`.trim();
}

/** `ga***@gmail.com`: the first two letters, never all of them. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '***';
  return `${email.slice(0, Math.min(2, at - 1))}***${email.slice(at)}`;
}

/** Phone and e-mail, a line each. What the customer did not just type is masked, for others may see the screen. */
export function identityLines(
  { phone, email }: Identity,
  isMasked: (known: Known, kind: 'phone' | 'email') => boolean,
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

/** How an operation stands as its customer was told: "not applied", although one more look is to come. */
export const shown = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

/**
 * The receipt as a line: "+100 điểm · Tivi", left out where AntCRM's record could not be read back; of a gift that was
 * redeemed, where to get it. AntCRM names gifts in Vietnamese only, the list of gifts in every language.
 */
export function receiptLines(operation: Operation, scope: Scope): Line[] {
  const { kind, status, receipt, gift: code, code: earnedBy } = operation;
  if (earnedBy !== undefined) return [codeLine(operation)];
  const gift = giftOf(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined) return pickUp;
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

/** The codes at hand, one a line. */
export function codeLines(codes: readonly string[]): Line[] {
  const context = codes.length > 1 ? 'several' : undefined;
  return codes.map((code, at) => ({ key: 'summary.code', context, params: { code, at: at + 1 } }));
}

/** What became of one of several codes: "TIVI000000301: +100 điểm · Tivi". */
export function codeLine({ id, code = '', status, receipt }: Operation): Line {
  const params = { code, reference: id };
  const { score, what } = receipt ?? {};
  if (status !== 'done' || score === undefined)
    return { key: 'receipt.code', context: shown(status), params };
  const context = what === undefined ? 'unnamed' : 'scored';
  return { key: 'receipt.code', context, params: { ...params, score, what: what ?? '' } };
}

/** One of several codes that was never called. */
export function untriedLine(code: string): Line {
  return { key: 'receipt.code', context: 'untried', params: { code } };
}

/** The points of several codes together; of some, where not all records could be read back. */
export function sumLines(done: readonly Operation[]): Line[] {
  const scores = done.flatMap(({ receipt }) => receipt?.score ?? []);
  if (scores.length < 2) return [];
  const score = scores.reduce((sum, one) => sum + one, 0);
  return [
    { key: 'receipt.sum', context: scores.length < done.length ? 'partial' : undefined, params: { score } },
  ];
}

/** AntCRM's balance, which may not have all that was done a moment ago. */
export const behind = (points: number): Line => ({ key: 'receipt.behind', params: { points } });

/** The customer's points after an operation, where they were told. */
export function balanceLines(last: Operation | undefined): Line[] {
  const points = last?.receipt?.balance;
  return points === undefined ? [] : [{ key: 'receipt.balance', params: { points } }];
}

/** The gift of the operator's list that has this code. */
export function giftOf(code: string | undefined, { settings }: Pick<Context, 'settings'>): Gift | undefined {
  return settings.gifts.find((gift) => gift.code === code);
}

/** Where to get a gift, for whoever redeemed it; nothing where the list does not say. */
export function pickUpLines({ pickUp }: Gift): Line[] {
  return pickUp ? [{ key: 'receipt.pickUp', params: { where: pickUp } }] : [];
}

/** What a gift is, and the price that is to be confirmed; only AntCRM knows that of a gift that is on no list. */
export function giftLines(code: string, price: number | undefined, scope: Pick<Context, 'settings'>): Line[] {
  const gift = giftOf(code, scope);
  if (!gift) return [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
  const { name, description, score } = gift;
  return [
    { key: 'summary.gift', params: { gift: name } },
    ...(description ? [{ key: 'summary.description', params: { text: description } }] : []),
    { key: 'summary.price', params: { score: price ?? score } },
  ];
}

/** The gift costs more than the customer has. */
export function tooFewPoints({ name, score }: Gift, points: number, scope: Context): Reply {
  return {
    key: 'redeem.tooFewPoints',
    context: whose(scope),
    params: { gift: name, price: score, points, missing: score - points },
  };
}

/** Several of a gift are as many redemptions, each confirmed by itself. */
export function oneAtATime(code: string | undefined, scope: Context): Reply {
  return { key: 'redeem.oneAtATime', params: { gift: giftOf(code, scope)?.name ?? code ?? '' } };
}

/** The summary said another price: nothing was spent, and the new one wants a confirmation of its own. */
export function priceChanged({ name, score }: Gift, before: number): Reply {
  return { key: 'redeem.priceChanged', params: { gift: name, before, price: score } };
}

/** More buttons than this are no list any more; as many lines below them fit into one message. */
const BUTTONS = 10;
const LINES = 30;

/**
 * Asks which gift it shall be. Where the customer's points are known, what can be had comes first, and of the others it is
 * said how many points are missing. What has no button can be typed.
 */
export function askGift(
  gifts: readonly Gift[],
  points: number | undefined,
  asked: Pick<Reply, 'context' | 'params'>,
): Reply {
  const isDear = ({ score }: Gift) => points !== undefined && score > points;
  const inOrder = [...gifts.filter((gift) => !isDear(gift)), ...gifts.filter(isDear)];
  const say = (gift: Gift, key: string): Line => {
    const { name, score } = gift;
    const params = { name, score, ...(isDear(gift) && { missing: score - (points ?? 0) }) };
    return { key, context: isDear(gift) ? 'dear' : undefined, params };
  };
  const choices = inOrder
    .slice(0, BUTTONS)
    .map((gift) => choice(`gift:${gift.code}`, say(gift, 'choice.gift')));
  const others = inOrder.slice(BUTTONS);
  const left = others.length - LINES;
  const lines: Line[] = [
    { key: 'gift.others' },
    ...others.slice(0, LINES).map((gift) => say(gift, 'gift.other')),
    ...(left > 0 ? [{ key: 'gift.left', params: { count: left } }] : []),
  ];
  return { key: 'redeem.askGift', ...asked, ...(others.length > 0 && { lines }), choices, asks: 'code' };
}

/*
 * Whether phone and e-mail may be remembered.
 */

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
export const CONSENT_VERSION = 2;
/** After so many questions without an answer, the customer is not asked any more. */
const MOST_ASKED = 2;

/** Whether this customer agreed to the text as it is today. */
export function hasAgreed({ consent }: State): boolean {
  return consent?.given === true && consent.version === CONSENT_VERSION;
}

/**
 * The number (E.164) that points were earned for, if another one is remembered and neither is proved: it may be the customer's
 * new one, or somebody else's for once.
 */
export function otherPhone(state: State): string | undefined {
  const { phone } = state.draft;
  const known = state.profile.phone;
  if (!hasAgreed(state) || phone === undefined || known === undefined) return undefined;
  const isOther = phone.value !== known.value && !phone.proved && !known.proved;
  return isOther ? phone.value : undefined;
}

/** The customer's decision now, on the text as it is today. */
export const toConsent = (isGiven: boolean, { nowMs, sender }: Scope): NonNullable<State['consent']> => ({
  given: isGiven,
  version: CONSENT_VERSION,
  atMs: nowMs,
  channel: sender.channel,
});

/** Whether anything is known that the channel does not tell each time anyway. */
export function hasMore({ phone, email }: Draft, { sender }: Scope): boolean {
  return phone !== undefined || (email != null && email.value !== sender.email);
}

/** The customer turns to something else instead of answering: nothing is remembered. */
export function leaveConsentOpen(state: State, scope: Scope): State {
  if (state.step.at !== 'consenting') return state;
  const { consentUnanswered = 0, ...rest } = state;
  const idle: State = { ...rest, step: { at: 'idle' } };
  if (hasAgreed(state)) return idle;
  if (consentUnanswered + 1 < MOST_ASKED) return { ...idle, consentUnanswered: consentUnanswered + 1 };
  return { ...idle, consent: toConsent(false, scope) };
}

/** The same where no flow begins instead: no slot is kept for a later one. */
export function leaveConsent(state: State, scope: Scope): State {
  return state.step.at === 'consenting' ? { ...leaveConsentOpen(state, scope), draft: {} } : state;
}

/** Where staff write, nothing is remembered of a customer whom the console imitated here. */
export function withoutProfile(state: State, scope: Scope): State {
  if (!isStaff(scope)) return state;
  const { consent: _, consentUnanswered: __, ...rest } = state;
  const step: Step = rest.step.at === 'consenting' ? { at: 'idle' } : rest.step;
  return { ...rest, step, profile: {} };
}

/** The profile to remember. A proved value stays: a typed one may be somebody else's, for whom points were earned once. */
export function profileOf({ draft, profile }: State): State['profile'] {
  const { phone, email } = given(draft);
  return {
    ...profile,
    ...(phone && (phone.proved || !profile.phone?.proved) && { phone }),
    ...(email && (email.proved || !profile.email?.proved) && { email }),
  };
}
