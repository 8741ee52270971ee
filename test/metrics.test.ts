import { expect, it, onTestFinished, vi } from 'vitest';
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

/** The samples of these metrics: name, labels, then the value. */
async function samples(metrics: Metrics, ...names: string[]): Promise<string[]> {
  const lines = (await metrics.text()).split('\n');
  return lines.filter((line) =>
    names.some((name) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
  );
}

it('what waits in the store is read once a second, and nothing old is shown where it does not answer', async () => {
  const { metrics } = setUp();
  const minute = 60_000;
  const backlog = vi.fn(async () => ({
    due: { count: 7, oldestMs: 31_500 },
    undeliveredMs: 5 * minute,
    letters: 2,
    operationsMs: [0, minute - 1, minute, 40 * minute, 48 * 60 * minute],
    tickets: { waitingMs: [minute, 16 * minute], answered: 3 },
  }));
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  await Promise.all(Array.from({ length: 20 }, () => metrics.text({ health: async () => [], backlog })));
  expect(backlog, 'however many ask').toHaveBeenCalledTimes(1);
  const names = ['bot_ready', 'bot_due_conversations', 'bot_due_oldest_seconds', 'bot_dead_letters'];
  const all = [...names, 'bot_undelivered_oldest_seconds', 'bot_open_tickets', 'bot_ticket_waiting_seconds'];
  expect(await samples(metrics, ...all, 'bot_open_operations')).toEqual([
    'bot_ready 1',
    'bot_due_conversations 7',
    'bot_due_oldest_seconds 31.5',
    'bot_undelivered_oldest_seconds 300',
    'bot_dead_letters 2',
    'bot_open_tickets{state="waiting"} 2',
    'bot_open_tickets{state="answered"} 3',
    'bot_ticket_waiting_seconds 960',
    'bot_open_operations{age="under_1m"} 2',
    'bot_open_operations{age="under_30m"} 1',
    'bot_open_operations{age="under_1d"} 1',
    'bot_open_operations{age="over_1d"} 1',
  ]);

  vi.advanceTimersByTime(1000);
  const down = () => Promise.reject(new StoreUnavailable('redis: no answer'));
  await metrics.text({ health: down, backlog: down });
  expect(await samples(metrics, ...all, 'bot_open_operations')).toEqual(['bot_ready 0']);
});

it('an alarm is a log line and a counter of the same name, counted from zero so that its first rise is seen', async () => {
  const { metrics, lines } = setUp();
  const counted = ALARMS.map((alarm) => `bot_alarms_total{alarm="${alarm}"} 0`);
  expect(await samples(metrics, 'bot_alarms_total')).toEqual(counted);
  metrics.observe.alarm('dead_letter', { conversation: 'c0ffee', alarm: 'else' });
  const fields = { conversation: 'c0ffee', alarm: 'dead_letter' };
  expect(lines).toEqual([{ level: 'error', fields, message: 'Alarm: dead_letter' }]);
  expect(await samples(metrics, 'bot_alarms_total')).toContain('bot_alarms_total{alarm="dead_letter"} 1');
});
