import { decodeStart } from './payload.ts';
import { parseCode } from './values/code.ts';

/** Parameters that carry a code, and nothing else: a deep link's, and those that shops print. */
const NAMED = /^(?:start|code|ma|macode|c|qr|serial|sn)$/i;
const SCHEMES: readonly string[] = ['http:', 'https:', 'tg:'];
/** As codes wherever they stand: at least six characters, a letter and a digit among them. */
const SHAPED = /^(?=.*[A-Za-z])(?=.*\d).{6,}$/;

/** Whether a text is a link and nothing else. */
export function isLink(text: string): boolean {
  return linkOf(text) !== undefined;
}

/**
 * The code that a link carries: what a parameter such as `start` or `code` says, else the end of its path, else the only
 * parameter that looks like a code. Undefined: none, or nobody could tell which. The link is read, never opened.
 */
export function codeInLink(text: string): string | undefined {
  const link = linkOf(text);
  if (!link) return undefined;
  const parameters = [...link.searchParams];
  const named = parameters.filter(([name]) => NAMED.test(name));
  const [said] = named.flatMap(
    ([name, value]) => codeOf(/^start$/i.test(name) ? decodeStart(value) : value) ?? [],
  );
  if (said !== undefined) return said;
  const end = codeOf(decoded(link.pathname.split('/').findLast((part) => part !== '')));
  if (end !== undefined && SHAPED.test(end)) return end;
  const others = parameters.filter(([name]) => !NAMED.test(name));
  const shaped = others.flatMap(([, value]) => codeOf(value) ?? []).filter((code) => SHAPED.test(code));
  return shaped.length === 1 ? shaped[0] : undefined;
}

/** A text with the codes that its links carry in their places; a link without one says nothing. */
export function withLinksRead(text: string): string {
  if (!/:\/\/|\bwww\.|\bt\.me\//i.test(text)) return text;
  return text
    .split(' ')
    .map((word) => (isLink(word) ? (codeInLink(word) ?? '') : word))
    .join(' ');
}

function linkOf(text: string): URL | undefined {
  const written = text.trim();
  if (/\s/.test(written)) return undefined;
  const link = URL.parse(/^(?:www\.|t\.me\/)/i.test(written) ? `https://${written}` : written);
  return link && SCHEMES.includes(link.protocol) ? link : undefined;
}

function codeOf(text: string | undefined): string | undefined {
  const code = parseCode(text ?? '');
  return code.ok ? code.value : undefined;
}

/** Undefined for what is no well-formed part of a path. */
function decoded(part = ''): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
