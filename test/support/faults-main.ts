/**
 * The bot as `src/main.ts` starts it, with short leases and no message poison (see `bot-main.ts`), that a signal of its
 * own hits just before or after a call of a port: `FAULT_POINT=store.commit#2:after` names the second commit of the
 * process, `FAULT_SIGNAL` is `SIGKILL` unless it says `SIGSTOP`; `FAULT_LEASE_MS` is how long what it held is held on.
 * With `FAULT_TRACE` it prints the calls it could be hit at, one line each.
 */

import { createApp } from '../../src/app.ts';
import { environment, readConfig } from '../../src/config.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { RecordStore } from '../../src/store/port.ts';
import { watched } from './changes.ts';

const ANTCRM = ['accumulate', 'redeem', 'history', 'contact'];

const { FAULT_POINT: point, FAULT_SIGNAL: signal = 'SIGKILL', FAULT_TRACE: trace } = process.env;
const leaseMs = Number(process.env.FAULT_LEASE_MS ?? 3000);
const counts = new Map<string, number>();

function next(call: string): string {
  const count = (counts.get(call) ?? 0) + 1;
  counts.set(call, count);
  if (trace !== undefined) console.log(`calls ${call}#${count}`);
  return `${call}#${count}`;
}

function reach(here: string): void {
  if (here === point) process.kill(process.pid, signal);
}

/** The port as it is, but for `names`. */
function guarded<Port extends object>(port: string, target: Port, names: readonly string[]): Port {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || !names.includes(String(name))) return method;
      return async (...args: unknown[]) => {
        const here = next(`${port}.${String(name)}`);
        reach(`${here}:before`);
        const answer: unknown = await Reflect.apply(method, target, args);
        reach(`${here}:after`);
        return answer;
      };
    },
  });
}

/** The store, hit at what is about to be changed; renewals are idle rounds. */
function guardedStore(store: RecordStore): RecordStore {
  const { key, hash } = { key: config.keys.state, hash: config.keys.hash };
  let here: string | undefined;
  const before = watched(store, createEncryption({ key, hashKey: hash }), (change) => {
    here = change === 'renew' || change === 'other' ? undefined : next(`store.${change}`);
    if (here !== undefined) reach(`${here}:before`);
  });
  return {
    ...store,
    async swap(name, swap) {
      const swapping = before.swap(name, swap);
      const at = here;
      const swapped = await swapping;
      if (at !== undefined && swapped.swapped) reach(`${at}:after`);
      return swapped;
    },
  };
}

const read = readConfig(environment());
if (!read.ok) throw new Error(read.faults.join('\n'));
const { config } = read;
const app = await createApp(config, {
  limits: { leaseMs, renewMs: leaseMs / 3, sweepMs: 100, attempts: 1000 },
  around: {
    store: guardedStore,
    antcrm: (port) => guarded('antcrm', port, ANTCRM),
    channel: (port) => guarded(port.name, port, ['deliver']),
  },
});
process.once('SIGTERM', () => void app.stop());
await app.listen();
await app.start();
