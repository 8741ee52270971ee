import { describe, expect, onTestFinished, test } from 'vitest';
import { Spans } from '../../src/observability/tracing.ts';
import { recordingObserve } from '../support/observe.ts';
import { createWorld, incoming } from './bot.ts';

/** A world whose engines' log lines can be read: `lines(level)`. */
function setUp(...options: Parameters<typeof createWorld>) {
  const world = createWorld(...options);
  const { observe, said } = recordingObserve();
  const lines = (level: string): unknown[] =>
    said.map((line): unknown => JSON.parse(line)).filter((line) => Array.isArray(line) && line[0] === level);
  return { ...world, observe, lines };
}

describe('the log', () => {
  test('gets one event a turn, which tells where its time went', async () => {
    const { engine, observe, lines, quiet } = setUp();
    const turns = engine({ observe });
    onTestFinished(() => turns.stop());
    await turns.accept(incoming('redeem:op1'));
    await quiet();
    const number = expect.any(Number);
    const phases = { identifyMs: number, stepsMs: number, commitMs: number, deliverMs: number };
    const conversation = expect.stringMatching(/^[\w-]{22}$/);
    const about = {
      conversation,
      channel: 'test',
      input: 'text',
      attempt: 1,
      result: 'done',
      waitMs: number,
    };
    expect(lines('turn')).toEqual([['turn', { ...about, ...phases }]]);
  });
});

describe('what log lines are about', () => {
  test('is the conversation of the turn, and the operation of the call, without a tracer, too', async () => {
    const { engine, perform, encryption, quiet } = setUp();
    const spans = new Spans();
    const about: unknown[] = [];
    const turns = engine({
      spans,
      perform: (effect, context) => {
        about.push(spans.fields());
        return perform(effect, context);
      },
    });
    onTestFinished(() => turns.stop());
    await turns.accept(incoming('redeem:op1'));
    await quiet();
    const conversation = encryption.name('conversation', 'test\0c1');
    expect(about).toEqual([{ conversation, operation: 'op1' }]);
    expect(spans.fields()).toEqual({});
  });
});
