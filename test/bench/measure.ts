import type { Bounds, Run } from './load.ts';
import { type Subject, usageOf } from './subject.ts';

/** What is shown of a run; times in ms. */
export type Measured = {
  readonly turnsPerSecond: number;
  readonly turnP50: number;
  readonly turnP99: number;
  readonly acceptP50: number;
  readonly acceptP99: number;
  readonly cpuPerTurn: number;
  readonly rssMb: number;
};

export async function measure({ load, bot }: Subject, bounds: Bounds): Promise<Measured> {
  const before = await usageOf(bot);
  const run = await load.run(bounds);
  const after = await usageOf(bot);
  return {
    turnsPerSecond: run.timings.length / run.seconds,
    ...percentiles(run),
    cpuPerTurn: (after.cpuMs - before.cpuMs) / run.timings.length,
    rssMb: after.rssMb,
  };
}

function percentiles({ timings }: Run) {
  const turns = timings.map(({ turnMs }) => turnMs).sort((a, b) => a - b);
  const accepts = timings.map(({ acceptMs }) => acceptMs).sort((a, b) => a - b);
  const at = (sorted: readonly number[], share: number): number =>
    sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
  return {
    turnP50: at(turns, 0.5),
    turnP99: at(turns, 0.99),
    acceptP50: at(accepts, 0.5),
    acceptP99: at(accepts, 0.99),
  };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The median of each number by itself: other work on the machine spoils one run, not all. */
export function medians(runs: readonly Measured[]): Measured {
  const median = (key: keyof Measured): number => medianOf(runs.map((run) => run[key]));
  return {
    turnsPerSecond: median('turnsPerSecond'),
    turnP50: median('turnP50'),
    turnP99: median('turnP99'),
    acceptP50: median('acceptP50'),
    acceptP99: median('acceptP99'),
    cpuPerTurn: median('cpuPerTurn'),
    rssMb: median('rssMb'),
  };
}
