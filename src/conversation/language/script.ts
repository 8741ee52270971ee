import { visible } from './fold.ts';

/** What a text is written in: letters and digits that we can read, those of another script, or none ("…", "😀"). */
export function scriptOf(text: string): 'latin' | 'other' | 'none' {
  const seen = visible(text);
  if (/[\p{Script=Latin}\p{Nd}]/u.test(seen)) return 'latin';
  return /\p{L}/u.test(seen) ? 'other' : 'none';
}
