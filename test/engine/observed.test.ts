import { expect, test } from 'vitest';
import type { Perform } from '../../src/conversation/effect.ts';
import { Spans } from '../../src/observability/tracing.ts';
import { recordingObserve } from '../support/observe.ts';
import { createWorld, incoming } from './bot.ts';

test('a turn is one event of the log, and lines are about its conversation and operation, without a tracer, too', async () => {
  const world = createWorld();
  const { observe, said } = recordingObserve();
  const spans = new Spans();
  const about: unknown[] = [];
  const perform: Perform = (effect, context) => {
    about.push(spans.fields());
    return world.perform(effect, context);
  };
  await world.engine({ observe, spans, perform }).accept(incoming('redeem:op1'));
  await world.quiet();
  const conversation = world.encryption.name('conversation', 'test\0c1');
  const number = expect.any(Number);
  const phases = { identifyMs: number, stepsMs: number, commitMs: number, deliverMs: number };
  const turn = { conversation, channel: 'test', input: 'text', attempt: 1, result: 'done', waitMs: number };
  const lines = said.map((line) => JSON.parse(line)).filter(([level]) => level === 'turn');
  expect(lines).toEqual([['turn', { ...turn, ...phases }]]);
  expect(about).toEqual([{ conversation, operation: 'op1' }]);
  expect(spans.fields()).toEqual({});
});
