import { codeInLink, isLink } from './links.ts';
import type { Language } from './understand.ts';

/** The codes in what a QR or bar code says: in a link, as the whole of it, or within a text. */
export function codesInScan(text: string, { understand, readCode }: Language): readonly string[] {
  if (isLink(text)) return [codeInLink(text) ?? []].flat();
  const code = readCode(text);
  return code.ok ? [code.value] : understand(text).codes;
}
