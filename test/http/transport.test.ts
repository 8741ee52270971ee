import type { ServerResponse } from 'node:http';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createHook, Transport } from '../../src/http/transport.ts';
import { inPatientTime, useFakeTimers } from '../support/patient-time.ts';
import { closedPort, serve } from '../support/server.ts';

/* Connections, deadlines and what counts as sent: test/loyalty/antcrm-transport.test.ts. */

it('a transport calls only its origins, and none once it is closed', async () => {
  await using server = await serve((_, response) => void response.end());
  const transport = new Transport({ origin: server.url });
  const post = { method: 'POST', path: '/a', body: '{}', timeoutMs: 2000, maxBytes: 1000 } as const;
  const refused = { kind: 'unsent', reason: 'ForeignOrigin' };
  expect(await transport.exchange({ ...post, origin: await closedPort() })).toEqual(refused);
  await transport.close();
  expect(await transport.exchange({ ...post, origin: server.url })).toMatchObject({ kind: 'unsent' });
});

/** A hook at a server that answers the tries with these statuses; null: not at all. */
async function hookAt(...statuses: (number | null)[]) {
  const tries: string[] = [];
  const server = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const status = statuses[tries.push(body) - 1] ?? null;
    if (status !== null) response.writeHead(status).end();
  });
  const failed = vi.fn();
  const hook = createHook(`${server.url}/hook`, failed);
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await hook.close();
  });
  return { hook, tries, failed };
}

it('a hook that fails is tried once more with the same words, and that is enough', async () => {
  const { hook, tries, failed } = await hookAt(503, 204);
  hook.tell('a', { ticket: 'T1' });
  await expect.poll(() => tries).toEqual(['{"ticket":"T1"}', '{"ticket":"T1"}']);
  await hook.close();
  expect(failed).not.toHaveBeenCalled();
});

it('a hook that does not answer gets five seconds twice, delays nothing, and is logged for the operator', async () => {
  useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { hook, tries, failed } = await hookAt();
  expect(hook.tell('a', { ticket: 'T1' })).toBeUndefined();
  for (const made of [1, 2]) {
    await expect.poll(() => tries.length).toBe(made);
    vi.advanceTimersByTime(4900);
    expect(failed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
  }
  await expect.poll(() => failed.mock.calls.length).toBe(1);
  expect(tries).toHaveLength(2);
  // A minute later the same subject is news again.
  vi.advanceTimersByTime(60_000);
  hook.tell('a', { ticket: 'T2' });
  await expect.poll(() => tries.at(2)).toBe('{"ticket":"T2"}');
});

/** Opens an answer of a server that writes it as `write` says; what came, or how it ended. */
async function opened(write: (response: ServerResponse) => void, maxBytes = 1000) {
  const server = await serve((_, response) => write(response));
  const transport = new Transport();
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await transport.close();
  });
  const call = { method: 'GET', origin: server.url, path: '/', timeoutMs: 1000, maxBytes } as const;
  const answer = await transport.open(call);
  if (answer.kind !== 'answered') return answer.kind;
  let size = 0;
  try {
    for await (const part of answer.content) size += part.length;
    return size;
  } catch (error) {
    return [size, error instanceof Error ? error.message : ''];
  }
}

it.each<[what: string, write: (response: ServerResponse) => void, result: unknown]>([
  ['of a size that is allowed comes whole', (response) => response.end('x'.repeat(1000)), 1000],
  ['that says it is larger is not read', (response) => response.end('x'.repeat(1001)), 'large'],
  [
    'that is larger without saying so is cut off',
    (response) => {
      response.write('x'.repeat(900));
      setTimeout(() => response.end('x'.repeat(900)), 50);
    },
    [900, 'the body ended early'],
  ],
  ['whose head does not come is lost', () => {}, 'lost'],
  [
    'that stalls is cut off',
    (response) => response.writeHead(200, { 'content-length': 900 }).write('x'),
    [1, 'the body ended early'],
  ],
  [
    'that is slow but comes is waited for',
    (response) => {
      let parts = 0;
      const drip = setInterval(() => {
        response.write('x');
        if (++parts === 4) response.end(() => clearInterval(drip));
      }, 300);
    },
    4,
  ],
])('an answer %s', async (_what, write, result) => {
  expect(await inPatientTime(() => opened(write))).toEqual(result);
});
