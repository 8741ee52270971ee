import type { Fields, Log } from '../../src/observability/log.ts';
import { createMetrics, type Observe } from '../../src/observability/metrics.ts';
import { scanLater } from './logs.ts';

const nothing = () => {};
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const { observe: counted } = createMetrics({ log: silent });

/** Everything that was logged, alarmed or counted, as one list of JSON lines. */
export function recordingObserve(): { observe: Observe; observed: string[] } {
  const observed: string[] = [];
  scanLater(observed, {});
  return { observed, observe: observeInto(observed) };
}

export function observeInto(observed: string[]): Observe {
  const note =
    (what: string) =>
    (...details: unknown[]) =>
      void observed.push(JSON.stringify([what, ...details]));
  const log = (level: string) => (fields: Fields & { err?: unknown }, message: string) =>
    void observed.push(JSON.stringify([level, message, fields, String(fields.err ?? '')]));
  const notes = Object.keys(counted).map((what) => [what, note(what)]);
  return {
    ...counted,
    ...Object.fromEntries(notes),
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  };
}
