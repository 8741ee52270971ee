import { expect, onTestFinished, test, vi } from 'vitest';
import { createRecent } from '../../src/store/recent.ts';

const MINUTE = 60_000;

function fakeTime(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

test('keeps a value for as long as it says, and not for twice as long', () => {
  fakeTime();
  const recent = createRecent<string>(10, MINUTE);
  vi.advanceTimersByTime(MINUTE / 2);
  recent.set('a', 'one');
  vi.advanceTimersByTime(MINUTE - 1);
  expect(recent.get('a')).toBe('one');
  vi.advanceTimersByTime(MINUTE + 1);
  expect(recent.get('a')).toBeUndefined();
});

test('a value that is set again is kept from then on', () => {
  fakeTime();
  const recent = createRecent<string>(10, MINUTE);
  recent.set('a', 'one');
  vi.advanceTimersByTime(MINUTE * 0.9);
  recent.set('a', 'two');
  vi.advanceTimersByTime(MINUTE * 0.9);
  expect(recent.get('a')).toBe('two');
});

test('keeps no more than it may, those set last', () => {
  const recent = createRecent<number>(10, MINUTE);
  for (let n = 0; n < 1000; n++) recent.set(`${n}`, n);
  const kept = Array.from({ length: 1000 }, (_, n) => n).filter((n) => recent.get(`${n}`) !== undefined);
  expect(kept.length).toBeLessThanOrEqual(20);
  expect(kept.slice(-10)).toEqual(Array.from({ length: 10 }, (_, n) => 990 + n));
});

test('no timer is left once it is empty', () => {
  fakeTime();
  const recent = createRecent<string>(10, MINUTE);
  recent.set('a', 'one');
  recent.set('b', 'two');
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(2 * MINUTE);
  expect(vi.getTimerCount()).toBe(0);
});
