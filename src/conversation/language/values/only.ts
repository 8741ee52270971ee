import { fold } from '../fold.ts';
import { phrasesIn } from '../grammars.ts';

const ONLY = new Set(phrasesIn(({ only }) => only));

/** Whether a text keeps what it names, and nothing else of its kind: "chỉ lấy TIVI000000017 thôi". */
export const keepsOnly = (text: string): boolean =>
  fold(text)
    .split(' ')
    .some((word) => ONLY.has(word));
