import { z } from 'zod';
import type { SandboxFault } from '../../src/sandbox/sandbox.ts';
import { startProcess } from '../support/processes.ts';
import { until } from '../support/redis.ts';

const recordSchema = z.object({
  id: z.string(),
  status: z.union([z.literal(0), z.literal(1)]),
  code: z.string().optional(),
  gift: z.object({ code: z.string() }).optional(),
});
export type SandboxRecord = z.infer<typeof recordSchema>;

const PAGE = 20;

/** AntCRM's sandbox as a process of its own, and what a test asks of it. */
export async function startSandbox() {
  const child = await startProcess('src/sandbox/main.ts');
  const [url] = await child.line(/http:\/\/\S+/);

  async function post(path: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  }

  async function page(kind: 'point' | 'gift', phone: string, page: number): Promise<SandboxRecord[]> {
    const query = new URLSearchParams({ phone, page: `${page}`, ...(kind === 'point' && { type: 'point' }) });
    const response = await fetch(`${url}/history-point?${query}`, { headers: { apikey: 'test' } });
    return z.array(recordSchema).parse(await response.json());
  }

  async function records(kind: 'point' | 'gift', phone: string): Promise<SandboxRecord[]> {
    const found: SandboxRecord[] = [];
    for (let at = 1; ; at++) {
      const some = await page(kind, phone, at);
      found.push(...some);
      if (some.length < PAGE) return found;
    }
  }

  return {
    ...child,
    url,
    /** The next calls misbehave. */
    fault: (fault: Pick<SandboxFault, 'call' | 'fault'> & Partial<SandboxFault>) => post('/faults', fault),
    reset: () => post('/reset', {}),
    /** Every call that earned (`point`) or spent (`gift`), or tried to, newest first. */
    records,
    /** Resolves once there are more of them than `before`: AntCRM got the call. */
    recorded: (kind: 'point' | 'gift', phone: string, before = 0) =>
      until(async () => (await records(kind, phone)).length > before),
  };
}
