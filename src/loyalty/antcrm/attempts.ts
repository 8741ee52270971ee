import type { Exchange } from './transport.ts';

/** One time that a call was tried: what came of it, and how long it took. */
export type Attempt = { readonly exchange: Exchange; readonly ms: number };

/** All attempts of a call, in order. `last` decides the call's outcome; `repeated` are those before it. */
export type Attempts = { readonly repeated: readonly Attempt[]; readonly last: Attempt };

type Send = () => Promise<Exchange>;

/**
 * Notes every attempt that `call` makes with `send`. A declined request counts as an attempt too: it
 * took as long as it waited for permission.
 */
export async function noteAttempts(call: (send: Send) => Promise<Exchange>, send: Send): Promise<Attempts> {
  const sent: Attempt[] = [];
  let idleSince = performance.now();
  const exchange = await call(async () => {
    const start = performance.now();
    const exchange = await send();
    idleSince = performance.now();
    sent.push({ exchange, ms: idleSince - start });
    return exchange;
  });
  const last = sent.at(-1);
  if (last?.exchange === exchange) return { repeated: sent.slice(0, -1), last };
  return { repeated: sent, last: { exchange, ms: performance.now() - idleSince } };
}
