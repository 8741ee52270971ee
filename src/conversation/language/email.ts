import { isAscii, isOneTypo, QUOTES, trimEdges, visible } from './text.ts';

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
    trimEdges(visible(text).normalize('NFKC'), EDGES).replace(/^mailto:/i, ''),
    EDGES,
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
    .replace(/(@\S+?)(?: ?[.,] ?| )(?=(?:com|vn|net|org|edu)\b)/gi, '$1.')
    .replace(/(\.com)(?: ?[.,] ?| )(?=vn\b)/gi, '$1.');
  const found = /\S+@\S+/.exec(joined)?.[0];
  const email = found === undefined ? undefined : parseEmail(found);
  return email?.ok ? (email.suggestion ?? email.value) : undefined;
}

/** What sentences and address books put around an address. */
const EDGES = `${QUOTES} <>()[].,;:!?…`;

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
