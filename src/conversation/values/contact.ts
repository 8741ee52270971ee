import { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/min';
import { isAscii, isDate, isOneTypo, QUOTES, type Token, trimEdges, visible } from '../language/tokens.ts';

/* Phone numbers and e-mail addresses, read as a whole or found among words. */

/**
 * `value` is E.164. With `ask` it is a guess: an old number of eleven digits, a missing zero, digits in
 * words.
 */
export type Phone = {
  readonly ok: true;
  readonly value: string;
  readonly ask?: 'mapped' | 'leadingZero' | 'spoken' | undefined;
};
export type PhoneResult =
  | Phone
  | { readonly ok: false; readonly reason: 'phone.shape' | 'phone.short' | 'phone.long' };

/**
 * Reads a phone number in any usual spelling: blanks, dots, dashes, brackets, O and I for 0 and 1, full-width
 * digits, `+84 (0)…`, `84…`, `0084…`. A Vietnamese number is checked by its shape (new prefixes keep
 * appearing), a foreign one (`+`, `00`) by the length that its country allows.
 *
 * @example
 * parsePhone('0912 345 678'); // { ok: true, value: '+84912345678' }
 */
export function parsePhone(text: string): PhoneResult {
  const digits = digitsOf(text);
  if (digits === undefined) return { ok: false, reason: 'phone.shape' };
  if (/^(?:\+|00)84/.test(digits)) return withCountryCode(digits.replace(/^(?:\+|00)84/, ''));
  if (/^(?:\+|00)/.test(digits)) return foreign(digits.replace(/^(?:\+|00)/, ''));
  if (digits.startsWith('0')) return vietnamese(digits.slice(1)) ?? refused(digits.slice(1));
  const rest = digits.startsWith('84') && digits.length > 10 ? withCountryCode(digits.slice(2)) : undefined;
  if (rest?.ok) return rest;
  const guess = vietnamese(digits);
  return guess ? { ask: 'leadingZero', ...guess } : refused(digits);
}

const BETWEEN_DIGITS = /[\s\p{Pd}−.,()[\]/_·]/gu;

function digitsOf(text: string): string | undefined {
  const compact = visible(text).normalize('NFKC').replace(/^tel:/i, '').replace(BETWEEN_DIGITS, '');
  if (/^\+?\d+$/.test(compact)) return compact;
  const isNumber = /^\+?[\doOIl]+$/.test(compact) && compact.replace(/\D/g, '').length >= 6;
  return isNumber ? compact.replace(/[oO]/g, '0').replace(/[Il]/g, '1') : undefined;
}

function withCountryCode(national: string): PhoneResult {
  const significant = national.replace(/^0/, '');
  return vietnamese(significant) ?? refused(significant);
}

/** The mobile prefixes of eleven-digit numbers and what replaced them on 15 September 2018. */
const RENUMBERED: Readonly<Record<string, string>> = {
  120: '70',
  121: '79',
  122: '77',
  123: '83',
  124: '84',
  125: '85',
  126: '76',
  127: '81',
  128: '78',
  129: '82',
  162: '32',
  163: '33',
  164: '34',
  165: '35',
  166: '36',
  167: '37',
  168: '38',
  169: '39',
  186: '56',
  188: '58',
  199: '59',
};

/** `national` without its leading zero. */
function vietnamese(national: string): Phone | undefined {
  if (/^(?:[35789]\d{8}|2\d{9})$/.test(national)) return { ok: true, value: `+84${national}` };
  const prefix = /^\d{10}$/.test(national) ? RENUMBERED[national.slice(0, 3)] : undefined;
  return prefix === undefined
    ? undefined
    : { ok: true, value: `+84${prefix}${national.slice(3)}`, ask: 'mapped' };
}

function refused(national: string): PhoneResult {
  const longest = /^[12]/.test(national) ? 10 : 9;
  const shortest = national.startsWith('2') ? 10 : 9;
  if (national.length < shortest) return { ok: false, reason: 'phone.short' };
  return { ok: false, reason: national.length > longest ? 'phone.long' : 'phone.shape' };
}

function foreign(digits: string): PhoneResult {
  if (!/^[1-9]/.test(digits)) return { ok: false, reason: 'phone.shape' };
  if (digits.length > 17) return { ok: false, reason: 'phone.long' };
  const parsed = parsePhoneNumberFromString(`+${digits}`);
  // Possible, not valid: the library's number ranges age, and a refused customer can do nothing about it.
  if (parsed?.isPossible()) return { ok: true, value: parsed.number };
  const length = validatePhoneNumberLength(`+${digits}`);
  if (length === 'TOO_SHORT') return { ok: false, reason: 'phone.short' };
  return { ok: false, reason: length === 'TOO_LONG' ? 'phone.long' : 'phone.shape' };
}

const PHONE_PIECE = /^(?:[+(]?[\d０-９oOIl()./\p{Pd}]+|＋)$/u;
/** The most groups in which a number is written. */
const MAX_GROUPS = 7;
/** At most this many starts are tried, because reading a foreign number is slow. */
const MAX_STARTS = 20;
const MIN_PHONE = 8;

type ValueMatch<Result> = { readonly result: Result; readonly tokens: readonly Token[] };

/** The longest runs of tokens that are phone numbers. `label`: "sdt" in "sdt0912345678". */
export function findPhones(tokens: readonly Token[], label: RegExp): readonly ValueMatch<Phone>[] {
  const found: ValueMatch<Phone>[] = [];
  const pieceAt = (at: number, isFirst: boolean) => {
    const token = tokens[at];
    const text = isFirst ? token?.text.replace(label, '') : token?.text;
    if (!token || !text || !PHONE_PIECE.test(text) || isDate(token.text)) return undefined;
    return isFirst && !/[\d０-９]/.test(text) ? undefined : text;
  };
  for (let from = 0, starts = 0; from < tokens.length && starts < MAX_STARTS; from++) {
    const pieces: string[] = [];
    for (let piece = pieceAt(from, true); piece !== undefined && pieces.length < MAX_GROUPS; ) {
      pieces.push(piece);
      piece = pieceAt(from + pieces.length, false);
    }
    if (pieces.length > 0) starts++;
    const phone = longestPhone(pieces);
    if (!phone) continue;
    found.push({ result: phone.result, tokens: tokens.slice(from, from + phone.count) });
    from += phone.count - 1;
  }
  return found;
}

function longestPhone(
  pieces: readonly string[],
): { readonly result: Phone; readonly count: number } | undefined {
  for (let count = pieces.length; count > 0; count--) {
    const text = pieces.slice(0, count).join(' ');
    const result = text.length < MIN_PHONE ? undefined : parsePhone(text);
    if (result?.ok) return { result, count };
  }
  return undefined;
}

/**
 * With `suggestion`, the domain looks mistyped; the customer is asked which of the two is right.
 * `isGuess`: it was dictated, or typed with blanks.
 */
export type EmailResult =
  | {
      readonly ok: true;
      readonly value: string;
      readonly suggestion?: string | undefined;
      readonly isGuess?: true | undefined;
    }
  | { readonly ok: false; readonly reason: 'email.shape' | 'email.vietnamese' | 'email.long' };

const MAX_EMAIL = 254;
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** What sentences and address books put around an address. */
const AROUND = `${QUOTES} <>()[].,;:!?…`;

/**
 * Reads an e-mail address in lower case: phones capitalise the first letter, no large provider
 * distinguishes case, and AntCRM might, which would split one customer into two.
 *
 * @example
 * parseEmail('Minh@gmial.com'); // { ok: true, value: 'minh@gmial.com', suggestion: 'minh@gmail.com' }
 */
export function parseEmail(text: string): EmailResult {
  const seen = trimEdges(visible(text).normalize('NFKC'), AROUND).toLowerCase();
  const email = seen.startsWith('mailto:') ? trimEdges(seen.slice('mailto:'.length), AROUND) : seen;
  const [local = '', domain = '', ...more] = email.split('@');
  const shape = { ok: false, reason: 'email.shape' } as const;
  if (local === '' || domain === '' || more.length > 0) return shape;
  if (email.length > MAX_EMAIL) return { ok: false, reason: 'email.long' };
  if (/\s/.test(email)) return shape;
  if (!isAscii(email)) {
    const isMangled = /^[\p{Script=Latin}\p{M}\0-\x7f]*$/u.test(email);
    return isMangled ? { ok: false, reason: 'email.vietnamese' } : shape;
  }
  if (local.length > 64 || !LOCAL.test(local) || !isDomain(domain)) return shape;
  const better = betterDomain(domain);
  return { ok: true, value: email, suggestion: better && `${local}@${better}` };
}

function isDomain(domain: string): boolean {
  const labels = domain.split('.');
  for (const label of labels) if (label.length > 63 || !LABEL.test(label)) return false;
  return labels.length > 1 && /^(?:[a-z][a-z0]+|xn--.+)$/.test(labels.at(-1) ?? '');
}

/** The usual mail providers, and real ones that differ from them by one letter. */
const COMMON = 'gmail.com yahoo.com yahoo.com.vn hotmail.com outlook.com outlook.com.vn icloud.com'.split(
  ' ',
);
const GENUINE = ['ymail.com', 'email.com', 'mail.com'];

/** The domain that was probably meant; undefined where this one may well be right. */
function betterDomain(domain: string): string | undefined {
  if (COMMON.includes(domain) || GENUINE.includes(domain)) return undefined;
  const near =
    COMMON.find((common) => isOneTypo(common, domain)) ??
    (GENUINE.some((genuine) => isOneTypo(genuine, domain))
      ? undefined
      : COMMON.find((common) => isTypoByLabel(common, domain)));
  // It has no mailboxes under any other end (gmail.vn).
  return near ?? (domain.startsWith('gmail.') ? 'gmail.com' : undefined);
}

/** "gmai.con": a typing error in each part. A short part has nothing to tell it by. */
function isTypoByLabel(common: string, domain: string): boolean {
  const labels = domain.split('.');
  const usual = common.split('.');
  const isNear = (label: string, at: number) => label === usual[at] || isOneTypo(usual[at] ?? '', label);
  return labels.length === usual.length && (labels[0]?.length ?? 0) > 3 && labels.every(isNear);
}

export const isUsualDomain = (domain: string): boolean => COMMON.includes(domain);

/** A domain, or the one of a mail provider that is called by its name: "gmail". */
export const completeDomain = (domain: string): string | undefined =>
  domain.includes('.') ? domain : COMMON.find((common) => common === `${domain}.com`);

/** The address that was probably meant: "lan @ gmail.com", "lan@gmail,com", "lan@gmail com". */
export function suggestEmail(text: string): string | undefined {
  const joined = visible(text)
    .replace(/ ?@ ?/g, '@')
    .replace(/(?: ?[.,] ?| )(?=(?:com|vn|net|org|edu)\b)/gi, '.');
  const written = joined.split(' ').find((word) => /.@./.test(word));
  const email = written === undefined ? undefined : parseEmail(written);
  return email?.ok ? (email.suggestion ?? email.value) : undefined;
}

/** The same address at another usual provider: "yahoo, not gmail". Undefined: the name is none. */
export function moveEmail(email: string, host: string): string | undefined {
  const domain = COMMON.find((common) => common === `${host}.com`);
  const [local = '', before] = email.split('@');
  return domain === undefined || domain === before ? undefined : `${local}@${domain}`;
}

/** "Lan.nguyen gmail": an address whose sign was left out. */
export function joinEmail(text: string): string | undefined {
  const [local = '', host = '', ...others] = visible(text).trim().toLowerCase().split(/\s+/);
  const domain = others.length === 0 ? completeDomain(host) : undefined;
  const email = domain === undefined || !isUsualDomain(domain) ? undefined : parseEmail(`${local}@${domain}`);
  return email?.ok ? email.value : undefined;
}

/** The addresses; mangled ones count, because nothing else contains an `@`. */
export function findEmails(tokens: readonly Token[]): readonly ValueMatch<EmailResult>[] {
  return tokens.flatMap((token) => {
    if (token.text.lastIndexOf('@') < 1) return [];
    const result = parseEmail(token.text);
    return result.ok || result.reason === 'email.vietnamese' ? { result, tokens: [token] } : [];
  });
}
