/**
 * Loaded before a bot (`--import`), gives it other clocks. `CLOCK_AHEAD_MS`: its own. And the store's, as its scripts and
 * the bot read it: ahead by what stands under `STORE_AHEAD` in a Redis, so that it can jump while the bot runs. What
 * expires is not moved: nothing that a conversation needs expires within ten minutes.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Redis } from 'ioredis';
import { STORE_AHEAD } from './faults-clocks.ts';

const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);
const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + aheadMs] : args, newTarget),
  get: (target, name, receiver) =>
    name === 'now' ? () => RealDate.now() + aheadMs : Reflect.get(target, name, receiver),
});

const AHEAD_SECONDS = `tonumber(redis.call('GET', '${STORE_AHEAD}') or '0')`;
const SHIFTED = `(function() local t = redis.call('TIME'); return { t[1] + ${AHEAD_SECONDS}, t[2] } end)()`;
const { readFileSync } = fs;
Object.assign(fs, {
  readFileSync(...args: Parameters<typeof readFileSync>) {
    const content = readFileSync(...args);
    return typeof content === 'string' && String(args[0]).endsWith('.lua')
      ? content.replaceAll("= redis.call('TIME')", `= ${SHIFTED}`)
      : content;
  },
});
syncBuiltinESMExports();

const { time } = Redis.prototype;
Object.assign(Redis.prototype, {
  async time(this: Redis) {
    const [[seconds, micros], ahead] = await Promise.all([time.call(this), this.get(STORE_AHEAD)]);
    return [Number(seconds) + Number(ahead ?? 0), micros];
  },
});
