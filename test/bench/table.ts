import type { Measured } from './measure.ts';

export const MEASURED_HEADS = [
  ...['turns/s', 'turn p50 ms', 'p99', 'accept p50 ms', 'p99', 'CPU ms/turn', 'RSS MB'],
];

export function cells(measured: Measured): string[] {
  return [
    measured.turnsPerSecond.toFixed(0),
    measured.turnP50.toFixed(1),
    measured.turnP99.toFixed(1),
    measured.acceptP50.toFixed(1),
    measured.acceptP99.toFixed(1),
    measured.cpuPerTurn.toFixed(3),
    measured.rssMb.toFixed(0),
  ];
}

/** A Markdown table; the first column is words, the others are numbers. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(heads), line(rule), ...rows.map(line)].join('\n');
}
