import { fold } from '../fold.ts';
import { phrasesIn } from '../grammars.ts';

const PAGE_NUMBER = new RegExp(`^(?:(?:${phrasesIn(({ pages }) => pages).join('|')}) )?(\\d{1,2})$`);

/** The number of a page of a list, from 1: "2", "trang 2". Undefined for everything else. */
export function parsePageNumber(text: string): number | undefined {
  const number = Number(PAGE_NUMBER.exec(fold(text))?.[1] ?? 0);
  return number > 0 ? number : undefined;
}
