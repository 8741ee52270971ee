import { newState, step } from '../support/conversation.ts';
import { NOW, SETTINGS, TELEGRAM } from '../support/dialogue.ts';

/*
 * How long a typed message takes the conversation: reading it, applying its commands, asking on. Warm, microseconds.
 *
 *     node test/bench/interpret.ts
 */

const COVERED = [
  'tích điểm',
  'xem điểm của mình',
  'đổi quà',
  'lịch sử tháng trước',
  'cảm ơn shop',
  'my points',
];
const CODES = [
  'tích điểm TIVI000000017',
  'TIVI000000018',
  'mã TIVI000000019 nha shop',
  'cho mình tích điểm mã TULANH000000020 với ạ',
];
const PHONES = [
  'tích điểm mã TIVI000000017 sđt 0912345678',
  'TIVI000000018 số điện thoại 0912 345 679 nhé shop',
  'earn points with code TIVI000000017, phone 0912345678',
];
const OPEN = [
  'cho mình hỏi mua tivi ở đâu thì rẻ',
  'có mất phí không?',
  'tihc diem giup minh',
  'hôm nay trời đẹp quá',
];
const HOSTILE = [
  'a '.repeat(500),
  '0 '.repeat(500),
  'ủ'.repeat(1000),
  'không phải '.repeat(90),
  '1/8 - '.repeat(160),
];
const WARM = 3000;
const ROUNDS = 300;

const context = {
  settings: SETTINGS,
  nowMs: NOW,
  sender: TELEGRAM,
  serviceUp: true,
  current: true,
  ids: { operation: '7Q2KM9H4TD', view: 'view1' },
};

function timesOf(texts: readonly string[], rounds: number): number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++)
    for (const text of texts) {
      const startMs = performance.now();
      step(newState(), { kind: 'message', message: { kind: 'text', text } }, context);
      times.push((performance.now() - startMs) * 1000);
    }
  return times.sort((one, other) => one - other);
}

const at = (times: readonly number[], share: number) =>
  (times[Math.floor(times.length * share)] ?? 0).toFixed(0);

timesOf([...COVERED, ...CODES, ...PHONES, ...OPEN], WARM / 10);
for (const [name, texts, rounds] of [
  ['covered', COVERED, ROUNDS],
  ['a code', CODES, ROUNDS],
  ['a phone', PHONES, ROUNDS],
  ['open', OPEN, ROUNDS],
  ['hostile', HOSTILE, 20],
] as const) {
  const times = timesOf(texts, rounds);
  console.log(
    name.padEnd(10),
    'median',
    at(times, 0.5),
    'p99',
    at(times, 0.99),
    'most',
    at(times, 0.9999),
    'µs',
  );
}
