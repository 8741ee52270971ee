import { onTestFinished } from 'vitest';
import { CallPermit } from '../../src/engine/perform.ts';
import { Transport } from '../../src/http/transport.ts';
import { AntCrmClient, type AntCrmOptions } from '../../src/loyalty/antcrm.ts';
import type { Fields } from '../../src/observability/log.ts';
import { systemRuntime } from '../../src/runtime.ts';

export type Reports = {
  readonly calls: [call: string, outcome: string][];
  readonly alarms: string[];
  readonly breaker: string[];
  readonly logged: Fields[];
};

/** An adapter with short times that ends with its test, and what it reports. */
export function openAntCrm(
  baseUrl: string,
  options: Partial<Omit<AntCrmOptions, 'baseUrl' | 'observe'>> = {},
): { antCrm: AntCrmClient; reports: Reports } {
  const reports: Reports = { calls: [], alarms: [], breaker: [], logged: [] };
  const log = (fields: Fields) => void reports.logged.push(fields);
  const transport = new Transport({ connectMs: 2000 });
  const client = new AntCrmClient({
    transport,
    runtime: systemRuntime,
    baseUrl,
    apiKey: 'the-key',
    timeoutMs: 3000,
    maxCalls: 8,
    ...options,
    observe: {
      log: { debug: log, info: log, warn: log, error: log },
      alarm: (name) => void reports.alarms.push(name),
      call: (call, outcome) => void reports.calls.push([call, outcome]),
      breaker: (state) => void reports.breaker.push(state),
    },
  });
  onTestFinished(async () => {
    client.close();
    await transport.close();
  });
  return { antCrm: client, reports };
}

export const BY_PHONE = { kind: 'phone', value: '+84867123456' } as const;
export const POINTS = { type: 'point', by: BY_PHONE, page: 1 } as const;
export const ACCUMULATION = {
  code: 'TIVI000000001',
  phone: BY_PHONE.value,
  /** Each call has its own. */
  get permit() {
    return new CallPermit('op-1');
  },
};

/** A redemption that may be written for a while yet. */
export const redemption = (writeWithinMs = 60_000) => ({
  gift: 'DAUMAY01',
  phone: BY_PHONE.value,
  permit: new CallPermit('op-1'),
  writeBefore: { monotonicMs: performance.now() + writeWithinMs, wallMs: Date.now() + 60_000 },
});
