/** `text` without the characters of `edge` at both ends. A loop, since `/[…]+$/` takes quadratic time. */
export function trimEdges(text: string, edge: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && edge.includes(text.charAt(from))) from++;
  while (to > from && edge.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Every kind of quotation mark that keyboards and chat programs put around a pasted value. */
export const QUOTES = '\'"`´‘’‚‛“”„‟«»‹›「」『』＂＇';
