import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ALARMS, type Fields, type Log } from '../src/observability/log.ts';
import { createMetrics, type Metrics } from '../src/observability/metrics.ts';
import { StoreUnavailable } from '../src/store/port.ts';

type Line = { level: string; fields: Fields; message: string };

function setUp(): { metrics: Metrics; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { metrics: createMetrics({ log }), lines };
}

/** The samples of one metric: labels, then the value. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim());
}

describe('metrics', () => {
  it('count updates, turns, calls and deliveries by their outcome', async () => {
    const { metrics, lines } = setUp();
    const { observe } = metrics;
    observe.update('telegram', 'accepted');
    observe.update('telegram', 'accepted');
    observe.update('staff', 'duplicate');
    const phases = { identifyMs: 0, stepsMs: 3, commitMs: 1, deliverMs: 20 };
    const about = { conversation: 'c1', channel: 'telegram', input: 'text', waitMs: 5 };
    for (const result of ['done', 'given-back'] as const) observe.turn({ ...about, ...phases, result });
    expect(lines[0]).toEqual({
      ...{ level: 'debug', message: 'a turn ended' },
      fields: { ...about, ...phases, result: 'done', ms: 24 },
    });
    observe.call('redeem', 'unknown', 8);
    observe.delivery('telegram', 'delivered');

    expect(await samples(metrics, 'bot_updates_total')).toEqual([
      '{channel="telegram",result="accepted"} 2',
      '{channel="staff",result="duplicate"} 1',
    ]);
    expect(await samples(metrics, 'bot_turns_total')).toEqual(['{channel="telegram",result="done"} 1']);
    expect(await samples(metrics, 'antcrm_calls_total')).toEqual(['{call="redeem",outcome="unknown"} 1']);
    expect(await samples(metrics, 'bot_deliveries_total')).toEqual([
      '{channel="telegram",result="delivered"} 1',
    ]);
  });

  it('show what waits in the store, and nothing old where it does not answer', async () => {
    const { metrics } = setUp();
    const minute = 60_000;
    const waiting = {
      due: { count: 7, oldestMs: 31_500 },
      undeliveredMs: 5 * minute,
      letters: 2,
      operationsMs: [0, minute - 1, minute, 40 * minute, 48 * 60 * minute],
      tickets: { waitingMs: [minute, 16 * minute], answered: 3 },
    };
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    let looks = 0;
    const backlog = async () => {
      looks += 1;
      return waiting;
    };
    await Promise.all(Array.from({ length: 20 }, () => metrics.text({ health: async () => [], backlog })));
    expect(looks, 'however many ask').toBe(1);
    expect(await samples(metrics, 'bot_ready')).toEqual(['1']);
    expect(await samples(metrics, 'bot_due_conversations')).toEqual(['7']);
    expect(await samples(metrics, 'bot_due_oldest_seconds')).toEqual(['31.5']);
    expect(await samples(metrics, 'bot_undelivered_oldest_seconds')).toEqual(['300']);
    expect(await samples(metrics, 'bot_dead_letters')).toEqual(['2']);
    expect(await samples(metrics, 'bot_open_tickets')).toEqual([
      '{state="waiting"} 2',
      '{state="answered"} 3',
    ]);
    expect(await samples(metrics, 'bot_ticket_waiting_seconds')).toEqual(['960']);
    expect(await samples(metrics, 'bot_open_operations')).toEqual([
      '{age="under_1m"} 2',
      '{age="under_30m"} 1',
      '{age="under_1d"} 1',
      '{age="over_1d"} 1',
    ]);

    vi.advanceTimersByTime(1000);
    const down = () => Promise.reject(new StoreUnavailable('redis: no answer'));
    await metrics.text({ health: down, backlog: down });
    expect(await samples(metrics, 'bot_ready')).toEqual(['0']);
    for (const name of ['bot_due_conversations', 'bot_dead_letters', 'bot_open_operations']) {
      expect(await samples(metrics, name)).toEqual([]);
    }
  });
});

it('an alarm is a log line and a counter of the same name, counted from zero so that its first rise is seen', async () => {
  const { metrics, lines } = setUp();
  expect(await samples(metrics, 'bot_alarms_total')).toEqual(ALARMS.map((alarm) => `{alarm="${alarm}"} 0`));
  metrics.observe.alarm('dead_letter', { conversation: 'c0ffee', alarm: 'else' });
  expect(lines).toEqual([
    {
      level: 'error',
      fields: { conversation: 'c0ffee', alarm: 'dead_letter' },
      message: 'Alarm: dead_letter',
    },
  ]);
  expect(await samples(metrics, 'bot_alarms_total')).toContain('{alarm="dead_letter"} 1');
});
