import type { Fields } from '../../src/observability/log.ts';
import type { Observe } from '../../src/observability/metrics.ts';
import { scanLater } from './logs.ts';

/** Everything that was logged, alarmed or counted, as one list of JSON lines. */
export function recordingObserve(): { observe: Observe; said: string[] } {
  const said: string[] = [];
  scanLater(said, {});
  return { said, observe: observeInto(said) };
}

/** The same into a list that nobody looks at after the test. */
export function observeInto(said: string[]): Observe {
  const note =
    (what: string) =>
    (...details: unknown[]) =>
      void said.push(JSON.stringify([what, ...details]));
  const log = (level: string) => (fields: Fields & { err?: unknown }, message: string) =>
    void said.push(JSON.stringify([level, message, fields, String(fields.err ?? '')]));
  return {
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    alarm: note('alarm'),
    update: note('update'),
    turn: note('turn'),
    call: note('call'),
    delivery: note('delivery'),
    paced: note('paced'),
    breaker: note('breaker'),
    photo: note('photo'),
    skew: note('skew'),
    channel: note('channel'),
    failing: note('failing'),
    busy: note('busy'),
    question: note('question'),
    misunderstood: note('misunderstood'),
    claim: note('claim'),
    lease: note('lease'),
    command: note('command'),
    memory: note('memory'),
    previousKey: note('previousKey'),
  };
}
