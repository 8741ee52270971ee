import { describe, expect, test } from 'vitest';
import { leaksOf, scanLater } from './support/logs.ts';

/* The scan of all logs (`support/log-scan.ts`) finds what is there, and only that. */

describe('a log line', () => {
  test.each([
    ['phone', '{"level":30,"msg":"0912345678 wrote"}'],
    ['phone', '{"url":"/loyalty/history-point?phone=84912345678"}'],
    ['e-mail', 'Error: minh@example.vn is unknown'],
    ['code', '{"msg":"tích điểm TIVI000000017"}'],
    ['code', '{"gift":"DAUMAY01"}'],
    ['name', '{"first_name":"Garnacho"}'],
  ])('with a %s is found: %s', (what, line) => {
    expect(leaksOf(line)).toEqual([`${what}: ${line}`]);
  });

  test.each([['1234:abcdef'], ['abcdef']])('with a secret that a bot was given is found: %s', (part) => {
    scanLater([], { TELEGRAM_BOT_TOKEN: '1234:abcdef', PORT: '123456' });
    const line = `{"url":"https://api.telegram.org/bot${part}/getMe","port":123456}`;
    expect(leaksOf(line)).toContain(`TELEGRAM_BOT_TOKEN: ${line}`);
    expect(leaksOf('{"port":123456}')).toEqual([]);
  });

  test.each([
    ['{"level":30,"time":1795622940345,"msg":"listening on http://127.0.0.1:41691"}'],
    ['{"level":50,"alarm":"dead_letter","conversation":"q0TIVI0912345678abc_-3","reason":"attempts"}'],
    ['    at Pool.[dispatch] (file:///srv/node_modules/@fastify/rate-limit/index.js:84:12)'],
  ])('with none of it is not: %s', (line) => {
    expect(leaksOf(line)).toEqual([]);
  });
});
