import { z } from 'zod';
import type { SandboxFault } from '../../src/sandbox/sandbox.ts';
import { type Process, startProcess } from '../support/processes.ts';
import { until } from '../support/redis.ts';

/** AntCRM's sandbox as a process of its own, and what a test asks of it. */
export type Sandbox = Process & {
  readonly url: string;
  /** The next calls misbehave. */
  fault(fault: Pick<SandboxFault, 'call' | 'fault'> & Partial<SandboxFault>): Promise<void>;
  /** A fresh AntCRM, without faults. */
  reset(): Promise<void>;
  /** Every call that earned (`point`) or spent (`gift`), or tried to: AntCRM records failures, too. Newest first. */
  records(kind: 'point' | 'gift', phone: string): Promise<SandboxRecord[]>;
  /** Resolves once there are more of them than `before`: AntCRM got the call. */
  recorded(kind: 'point' | 'gift', phone: string, before?: number): Promise<void>;
};

const recordSchema = z.object({
  id: z.string(),
  status: z.union([z.literal(0), z.literal(1)]),
  code: z.string().optional(),
  gift: z.object({ code: z.string() }).optional(),
});
export type SandboxRecord = z.infer<typeof recordSchema>;

const PAGE = 20;

export async function startSandbox(): Promise<Sandbox> {
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
    fault: (fault) => post('/faults', fault),
    reset: () => post('/reset', {}),
    records,
    recorded: (kind, phone, before = 0) => until(async () => (await records(kind, phone)).length > before),
  };
}
