import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The bytes of this process's heap that are still in use after a collection. */
export function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/**
 * By how much a series grows from one value to the next: the median of the slopes between any two of them (Theil and
 * Sen), which a few values that jump, up or down, do not move.
 */
export function slopeOf(series: readonly number[]): number {
  const slopes = series.flatMap((from, at) =>
    series.slice(at + 1).map((to, distance) => (to - from) / (distance + 1)),
  );
  return slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
}
