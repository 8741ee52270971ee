/**
 * The known name that a mistyped one probably means; undefined: none is near. Case, `_` and `-` do not count.
 *
 * @example
 * findClosestName('SUPORT_CONTACT', ['SUPPORT_CONTACT', 'PORT']); // 'SUPPORT_CONTACT'
 */
export function findClosestName(name: string, known: Iterable<string>): string | undefined {
  const typed = toLetters(name);
  let closest: { readonly name: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = countEdits(typed, toLetters(candidate));
    if (edits <= mostEdits(candidate) && edits < (closest?.edits ?? Infinity))
      closest = { name: candidate, edits };
  }
  return closest?.name;
}

const toLetters = (name: string): string => name.replace(/[_-]/g, '').toLowerCase();

/** More edits make another name of it. */
const mostEdits = ({ length }: string): number => (length < 6 ? 1 : length < 12 ? 2 : 3);

/** How many letters were left out, added, exchanged for others, or exchanged with their neighbours. */
function countEdits(a: string, b: string): number {
  let before: readonly number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const edits = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      edits.push(
        Math.min(
          (above[column] ?? 0) + 1,
          (edits[column - 1] ?? 0) + 1,
          (above[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped && row > 1 && column > 1 ? (before[column - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    before = above;
    above = edits;
  }
  return above[b.length] ?? 0;
}
