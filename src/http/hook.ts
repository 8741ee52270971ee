import { createTransport, type Transport } from './transport.ts';

/** How long the other side may take, for each of two tries. */
const HOOK_MS = 5000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Tells a URL of the operator's that something happened: one try and one more. Nobody waits for it, and nothing follows from
 * how it ends, but for a line of the log.
 */
export type Hook = { tell(what: object): void; close(): Promise<void> };

export function createHook(
  url: string,
  onFailed: () => void,
  transport: Transport = createTransport({ allows: (origin) => origin === new URL(url).origin }),
): Hook {
  const { origin, pathname, search } = new URL(url);
  const stop = new AbortController();

  async function isTold(body: string): Promise<boolean> {
    const exchange = await transport.exchange({
      ...{ method: 'POST', origin, path: `${pathname}${search}`, body, signal: stop.signal },
      headers: { 'content-type': 'application/json' },
      ...{ timeoutMs: HOOK_MS, maxBytes: MAX_ANSWER_BYTES },
    });
    return exchange.kind === 'answered' && exchange.status < 300;
  }

  async function tell(body: string): Promise<void> {
    if (!(await isTold(body)) && !(await isTold(body))) onFailed();
  }

  return {
    tell: (what) => void tell(JSON.stringify(what)),
    async close() {
      stop.abort();
      await transport.close();
    },
  };
}
