import { expect, test } from 'vitest';
import { leaksOf, scanLater } from './support/logs.ts';

/* The scan of all logs (`support/logs.ts`) finds what is there, and only that. */

test.each([
  ['phone', '{"level":30,"msg":"0912345678 wrote"}'],
  ['phone', '{"url":"/loyalty/history-point?phone=84912345678"}'],
  ['e-mail', 'Error: minh@example.vn is unknown'],
  ['code', '{"msg":"tích điểm TIVI000000017"}'],
  ['code', '{"gift":"DAUMAY01"}'],
  ['name', '{"first_name":"Garnacho"}'],
  ['TELEGRAM_BOT_TOKEN', '{"url":"https://api.telegram.org/botabcdef/getMe","port":123456}'],
])('a log line with a %s is found: %s', (what, line) => {
  scanLater([], { TELEGRAM_BOT_TOKEN: '1234:abcdef', PORT: '123456' });
  expect(leaksOf(line)).toEqual([`${what}: ${line}`]);
});

test.each([
  ['{"level":30,"time":1795622940345,"msg":"listening on http://127.0.0.1:41691"}'],
  ['{"level":50,"alarm":"dead_letter","conversation":"q0TIVI0912345678abc_-3","reason":"attempts"}'],
  ['    at Pool.[dispatch] (file:///srv/node_modules/@fastify/rate-limit/index.js:84:12)'],
])('a log line without personal data passes: %s', (line) => {
  expect(leaksOf(line)).toEqual([]);
});
