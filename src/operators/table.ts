/** Rows as lines, columns as wide as they need, an empty line after them. An absent cell is a question mark. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): readonly string[] {
  if (rows.length === 0) return [''];
  const all = [head, ...rows].map((row) => row.map((cell) => cell ?? '?'));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return [...all.map((row) => `  ${line(row)}`.trimEnd()), ''];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** Roughly, in the largest unit of which there are two at least: `45 s`, `90 min`, `30 h`, `12 d`. */
export function duration(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms >= 2 * unit) ?? ['s', 1000];
  return `${Math.max(0, Math.floor(ms / size))} ${name}`;
}
