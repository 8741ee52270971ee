import type { Expecting } from '../../src/conversation/commands.ts';
import { interpret } from '../support/conversation.ts';
import { NOW, SETTINGS } from '../support/dialogue.ts';

/* How long it takes to make commands of a text: warm, in microseconds, with the bounds of the design. */

const NOTHING: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const ask = (kind: Expecting['kind']): Expecting => ({
  ...NOTHING,
  place: 'slot',
  flow: 'accumulate',
  kind,
  codes: kind === 'codes' ? [] : ['TIVI000000017'],
});

const HOSTILE = ['a ', '0 ', 'ủ', 'không phải ', '1/8 - ', 'ab1 '];
type Row = readonly [name: string, bound: number, at: Expecting, texts: string];
const ROWS: readonly Row[] = [
  ['the phone that is asked', 10, ask('phone'), '0912345678 | 0912 345 679 | +84 912 345 680'],
  ['the code that is asked', 10, ask('codes'), 'TIVI000000018 | TULANH000000020 | TIVInpmx8b98pfg12345'],
  ['the e-mail that is asked', 10, ask('email'), 'garnacho@gmail.com | minh.tuan@example.vn'],
  ['known words', 20, NOTHING, 'tích điểm | xem điểm của mình | đổi quà | lịch sử tháng trước | my points'],
  ['open', 150, NOTHING, 'cho mình hỏi mua tivi ở đâu thì rẻ | tihc diem giup minh | hôm nay trời đẹp quá'],
  [
    'hostile, 1,000 characters',
    20_000,
    NOTHING,
    HOSTILE.map((part) => part.repeat(1000 / part.length)).join(' | '),
  ],
];

function timesOf([, bound, at, texts]: Row): number[] {
  const times: number[] = [];
  for (let round = 0; round < (bound > 1000 ? 20 : 500); round++)
    for (const text of texts.split(' | ')) {
      const startMs = performance.now();
      interpret(text, at, { settings: SETTINGS, nowMs: NOW });
      times.push((performance.now() - startMs) * 1000);
    }
  return times.sort((one, other) => one - other);
}

ROWS.forEach(timesOf);
for (const row of ROWS) {
  const [name, bound] = row;
  const times = timesOf(row);
  const share = (part: number) => (times[Math.floor(times.length * part)] ?? 0).toFixed(1).padStart(8);
  console.log(name.padEnd(26), 'median', share(0.5), 'p99', share(0.99), 'bound', bound, 'µs');
}
