import { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/min';
import { isAscii, isDate, isOneTypo, QUOTES, type Token, trimEdges, visible } from './text.ts';
import { anyOf, type Words } from './words.ts';

/* Phone numbers and e-mail addresses: read as a whole, and found among the words of a text. */

/**
 * `value` is E.164. With `ask` the number is a guess that the customer must agree to: `mapped` from a number of eleven
 * digits that ended in 2018, `leadingZero` where the zero was left out.
 */
export type PhoneResult =
  | { readonly ok: true; readonly value: string; readonly ask?: 'mapped' | 'leadingZero' | undefined }
  | { readonly ok: false; readonly reason: 'phone.shape' | 'phone.short' | 'phone.long' };

/**
 * Reads a phone number in any usual spelling: blanks, dots, dashes, brackets, the letter O for zero, full-width
 * digits, `+84 (0)…`, `84…`, `0084…`. Vietnamese numbers by their shape alone (numbers are portable and new prefixes
 * keep appearing), foreign ones (`+` or `00`) by the length their country allows.
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
  const isNumber = /^\+?[\doO]+$/.test(compact) && compact.replace(/\D/g, '').length >= 6;
  return isNumber ? compact.replace(/[oO]/g, '0') : undefined;
}

function withCountryCode(national: string): PhoneResult {
  const significant = national.replace(/^0/, '');
  return vietnamese(significant) ?? refused(significant);
}

/** The mobile prefixes of eleven-digit numbers and what replaced them on 15 September 2018. */
const RENUMBERED: ReadonlyMap<string, string> = new Map(
  [
    ...['120 70', '121 79', '122 77', '123 83', '124 84', '125 85', '126 76', '127 81', '128 78', '129 82'],
    ...['162 32', '163 33', '164 34', '165 35', '166 36', '167 37', '168 38', '169 39'],
    ...['186 56', '188 58', '199 59'],
  ].map((pair) => [pair.slice(0, 3), pair.slice(4)] as const),
);

/** `national` without its leading zero. */
function vietnamese(national: string): Extract<PhoneResult, { ok: true }> | undefined {
  if (/^(?:[35789]\d{8}|2\d{9})$/.test(national)) return { ok: true, value: `+84${national}` };
  const renumbered = /^\d{10}$/.test(national) ? RENUMBERED.get(national.slice(0, 3)) : undefined;
  return renumbered === undefined
    ? undefined
    : { ok: true, value: `+84${renumbered}${national.slice(3)}`, ask: 'mapped' };
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
  switch (validatePhoneNumberLength(`+${digits}`)) {
    case 'TOO_SHORT':
      return { ok: false, reason: 'phone.short' };
    case 'TOO_LONG':
      return { ok: false, reason: 'phone.long' };
    default:
      return { ok: false, reason: 'phone.shape' };
  }
}

const PHONE_PIECE = /^(?:[+(]?[\d０-９oO()./\p{Pd}]+|＋)$/u;
/** Nobody writes a number in more groups than this. */
const MAX_GROUPS = 7;
/** Where so many numbers are none, no more are tried: reading one from abroad takes longer than all else here. */
const MAX_STARTS = 20;
const MIN_PHONE = 8;

/** Finds the first run of tokens that is a phone number, the longest such run from there. */
export function createPhones(words: Words) {
  const labels = [...words.written('phone labels'), ...words.list('phone labels')];
  const label = new RegExp(`^(?:${anyOf(labels)})\\.?(?=\\+?\\d)`, 'iu');
  /** "sdt0912345678". */
  const withoutLabel = (text: string) => text.replace(label, '');

  function endOfRun(tokens: readonly Token[], from: number): number {
    const most = Math.min(tokens.length, from + MAX_GROUPS);
    let end = from;
    for (; end < most; end++) {
      const token = tokens[end];
      const text = token && (end === from ? withoutLabel(token.text) : token.text);
      if (!token || !text || !PHONE_PIECE.test(text) || isDate(token)) break;
      if (end === from && !/[\d０-９]/.test(text)) break;
    }
    return end;
  }

  return (tokens: readonly Token[]): Found<Extract<PhoneResult, { ok: true }>> | undefined => {
    for (let from = 0, starts = 0; from < tokens.length && starts < MAX_STARTS; from++) {
      const end = endOfRun(tokens, from);
      if (end > from) starts++;
      for (let to = end; to > from; to--) {
        const run = tokens.slice(from, to);
        const text = withoutLabel(run.map((token) => token.text).join(' '));
        const result = text.length < MIN_PHONE ? undefined : parsePhone(text);
        if (result?.ok) return { result, tokens: run };
      }
    }
    return undefined;
  };
}

/** With `suggestion`, the domain looks mistyped; the customer is asked which of the two is right. */
export type EmailResult =
  | { readonly ok: true; readonly value: string; readonly suggestion?: string | undefined }
  | { readonly ok: false; readonly reason: 'email.shape' | 'email.vietnamese' | 'email.long' };

const MAX_EMAIL = 254;
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Reads an e-mail address, lower-cased as a whole: phones capitalise the first letter unasked, no provider that
 * matters tells case apart, and AntCRM might, which would make one customer two. Nothing else inside is changed.
 */
export function parseEmail(text: string): EmailResult {
  const email = trimEdges(
    trimEdges(visible(text).normalize('NFKC'), AROUND).replace(/^mailto:/i, ''),
    AROUND,
  ).toLowerCase();
  const [local = '', domain = '', ...more] = email.split('@');
  if (local === '' || domain === '' || more.length > 0) return { ok: false, reason: 'email.shape' };
  if (email.length > MAX_EMAIL) return { ok: false, reason: 'email.long' };
  if (/\s/.test(email)) return { ok: false, reason: 'email.shape' };
  if (!isAscii(email)) {
    const mangled = /^[\p{Script=Latin}\p{M}\0-\x7f]*$/u.test(email);
    return { ok: false, reason: mangled ? 'email.vietnamese' : 'email.shape' };
  }
  if (local.length > 64 || !LOCAL.test(local) || !isDomain(domain))
    return { ok: false, reason: 'email.shape' };
  const better = betterDomain(domain);
  return { ok: true, value: email, suggestion: better && `${local}@${better}` };
}

/** The address that was probably meant: "lan @ gmail.com", "lan@gmail,com", "lan@gmail com". */
export function emailMeant(text: string): string | undefined {
  const joined = visible(text)
    .replace(/ ?@ ?/g, '@')
    .replace(/(?: ?[.,] ?| )(?=(?:com|vn|net|org|edu)\b)/gi, '.');
  const written = joined.split(' ').find((word) => /.@./.test(word));
  const email = written === undefined ? undefined : parseEmail(written);
  return email?.ok ? (email.suggestion ?? email.value) : undefined;
}

/** What sentences and address books put around an address. */
const AROUND = `${QUOTES} <>()[].,;:!?…`;

function isDomain(domain: string): boolean {
  const labels = domain.split('.');
  return (
    labels.length > 1 &&
    labels.every((label) => label.length <= 63 && LABEL.test(label)) &&
    /^(?:[a-z][a-z0]+|xn--.+)$/.test(labels.at(-1) ?? '')
  );
}

/** Where most customers have their mailbox. */
const COMMON = [
  'gmail.com',
  'yahoo.com',
  'yahoo.com.vn',
  'hotmail.com',
  'outlook.com',
  'outlook.com.vn',
  'icloud.com',
];
/** Real providers that are one typing error away from a common one. */
const GENUINE = new Set(['ymail.com', 'email.com', 'mail.com']);
/** Ends that no domain has, or hardly any. Not `.cm`: it is Cameroon's. */
const MEANT_COM = new Set(['con', 'comn', 'comm', 'coom', 'cmo', 'ocm', 'cpm', 'cim', 'xom', 'vom', 'c0m']);
const MEANT_VN = new Set(['vm', 'vnn', 'vnm', 'nv']);

/** The domain that was probably meant; undefined where this one may well be right. */
function betterDomain(domain: string): string | undefined {
  if (COMMON.includes(domain) || GENUINE.has(domain)) return undefined;
  const labels = domain.split('.');
  const end = labels.at(-1) ?? '';
  const meant = MEANT_COM.has(end) ? 'com' : MEANT_VN.has(end) ? 'vn' : end;
  const mended = [...labels.slice(0, -1), meant].join('.');
  const near = COMMON.find((common) => common === mended || isOneTypo(common, mended));
  if (near !== undefined) return near;
  // These have no mailboxes under any other end (gmail.vn, icloud.com.vn).
  if (labels[0] === 'gmail' || labels[0] === 'icloud') return `${labels[0]}.com`;
  return mended === domain ? undefined : mended;
}

type Found<Result> = { readonly result: Result; readonly tokens: readonly Token[] };

/** The first address; mangled ones count, since nothing else contains an `@`. */
export function findEmail(tokens: readonly Token[]): Found<EmailResult> | undefined {
  for (const token of tokens) {
    if (token.text.lastIndexOf('@') < 1) continue;
    const result = parseEmail(token.text);
    if (result.ok || result.reason === 'email.vietnamese') return { result, tokens: [token] };
  }
  return undefined;
}
