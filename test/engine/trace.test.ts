import { describe, expect, it, onTestFinished } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';

import type { Trace } from '../../src/engine/messages.ts';
import { Traces } from '../../src/engine/trace.ts';
import { explain } from '../support/conversation.ts';
import { NOW, SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming } from './bot.ts';

const CALL = { method: 'POST', path: '/redeem', status: 200, outcome: 'applied', ms: 3 } as const;

/** A world whose turns of the given channels are looked into; AntCRM is called once a redeem. */
function world(channels: readonly string[]) {
  const made = createWorld();
  const traces = new Traces(channels, (text, before, sender) =>
    explain(text, before, { settings: SETTINGS, nowMs: NOW, sender }),
  );
  const perform = async (effect: Effect, turn: Parameters<typeof made.perform>[1]): Promise<Outcome> => {
    const outcome = await made.perform(effect, turn);
    traces.calls.getStore()?.push(CALL);
    return outcome;
  };
  const engine = made.engine({ traces, perform });
  onTestFinished(() => engine.stop());
  const seen = (): (Trace | undefined)[] => made.sent.map(({ outgoing }) => outgoing.trace);
  return { ...made, engine, seen, calls: traces.calls };
}

describe('a channel that is looked into', () => {
  it('gets with the last reply of a turn what went on inside', async () => {
    const { engine, quiet, seen } = world(['test']);
    await engine.accept(incoming('redeem:op1'));
    await quiet();
    const [first, last] = seen();
    expect(first).toBeUndefined();
    expect(last).toMatchObject({
      message: { kind: 'text', text: 'redeem:op1' },
      sender: { name: 'Garnacho' },
      before: { draft: {} },
      after: { draft: { code: 'redeem:op1' } },
      calls: [CALL],
      trips: ['take', 'lock', 'intend', 'commit'],
    });
    expect(last?.ms).toBeGreaterThan(0);
  });

  it('keeps the turns of two conversations at once apart', async () => {
    const { engine, quiet, sent } = world(['test']);
    await Promise.all(
      ['a', 'b'].map((conversation) => engine.accept(incoming('redeem:op', { conversation }))),
    );
    await quiet();
    const traces = sent.flatMap(({ outgoing }) => outgoing.trace ?? []);
    expect(traces.map(({ calls }) => calls.length)).toEqual([1, 1]);
  });
});

describe('every other channel', () => {
  it('gets nothing, and a call outside of any turn belongs to nobody', async () => {
    const { engine, quiet, seen, calls } = world(['staff']);
    expect(calls.getStore()).toBeUndefined();
    await engine.accept(incoming('redeem:op1'));
    await quiet();
    expect(seen()).toEqual([undefined, undefined]);
  });
});
