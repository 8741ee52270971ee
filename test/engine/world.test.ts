import { describe, expect, it } from 'vitest';
import { realWorld } from '../../src/engine/world.ts';

describe('The real world', () => {
  it('calls a timer once, and not one that was cancelled', async () => {
    const rung: string[] = [];
    realWorld.timer(1, () => rung.push('kept'));
    realWorld.timer(1, () => rung.push('cancelled')).cancel();
    await realWorld.sleep(20);
    expect(rung).toEqual(['kept']);
  });

  it('ends a sleep as soon as it is aborted, also one that begins aborted', async () => {
    const abort = new AbortController();
    const sleeping = realWorld.sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(realWorld.sleep(60_000, abort.signal)).rejects.toThrow('enough');
  });

  it('does what is deferred after what is at hand, with its promises', async () => {
    const order: string[] = [];
    const deferred = new Promise<void>((resolve) =>
      realWorld.defer(() => {
        order.push('deferred');
        resolve();
      }),
    );
    await Promise.resolve().then(() => order.push('at hand'));
    await deferred;
    expect(order).toEqual(['at hand', 'deferred']);
  });

  it('hands out bytes that stay as they were, however many follow', () => {
    const first = realWorld.bytes(12);
    const copy = Buffer.from(first);
    const others = Array.from({ length: 1000 }, () => realWorld.bytes(12).toString('hex'));
    expect(first).toEqual(copy);
    expect(new Set(others).size).toBe(1000);
    expect(realWorld.bytes(10_000)).toHaveLength(10_000);
  });
});
