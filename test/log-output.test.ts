import { PassThrough } from 'node:stream';
import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { logOutput } from '../src/observability/log.ts';

it('on a terminal the log is lines for people: when, how bad, what', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const stream = await logOutput(terminal);
  const { log } = Fastify({ logger: { base: null, ...(stream && { stream }) } });
  log.warn({ alarm: 'store_unavailable' }, 'the store did not confirm');
  const shown = terminal.setEncoding('utf8').read();
  expect(shown).toMatch(/^\[\d\d:\d\d:\d\d\] .*WARN.*: .*the store did not confirm/);
  expect(shown).toMatch(/alarm.*: "store_unavailable"/);
});

it('anywhere else pino writes its JSON by itself', async () => {
  expect(await logOutput(new PassThrough())).toBeUndefined();
});
