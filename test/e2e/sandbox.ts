import { z } from 'zod';
import type { SandboxFault } from '../../src/sandbox/sandbox.ts';
import { startProcess } from '../support/processes.ts';
import { until } from '../support/redis.ts';

const recordSchema = z.object({ status: z.number() });
type SandboxRecord = z.infer<typeof recordSchema>;
const PAGE = 20;

/** AntCRM's sandbox as a process of its own, and what a test asks of it. */
export async function startSandbox() {
  const child = await startProcess('src/sandbox/main.ts');
  const [url] = await child.line(/http:\/\/\S+/);
  const headers = { apikey: 'test', 'content-type': 'application/json' };

  async function post(path: string, body: object): Promise<void> {
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  }

  /** Every call that earned (`point`) or spent (`gift`), or tried to, newest first. */
  async function records(kind: 'point' | 'gift', phone: string, page = 1): Promise<SandboxRecord[]> {
    const query = new URLSearchParams({ phone, page: `${page}`, ...(kind === 'point' && { type: 'point' }) });
    const response = await fetch(`${url}/history-point?${query}`, { headers });
    const some = z.array(recordSchema).parse(await response.json());
    return some.length < PAGE ? some : [...some, ...(await records(kind, phone, page + 1))];
  }

  return {
    ...child,
    url,
    /** The next calls misbehave. */
    fault: (fault: Pick<SandboxFault, 'call' | 'fault'> & Partial<SandboxFault>) => post('/faults', fault),
    reset: () => post('/reset', {}),
    records,
    /** Resolves once there are more of them than `before`: AntCRM got the call. */
    recorded: (kind: 'point' | 'gift', phone: string, before = 0) =>
      until(async () => (await records(kind, phone)).length > before),
  };
}
