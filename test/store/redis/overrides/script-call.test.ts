import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import manifest from '../../../../package.json' with { type: 'json' };
import {
  type ScriptArgument,
  ScriptCall,
  scriptOf,
} from '../../../../src/store/redis/overrides/script-call.ts';
import { ownProxy, ownRedis } from '../kit.ts';

async function open() {
  const { port } = await ownRedis();
  const proxy = await ownProxy(port);
  const redis = new Redis(proxy.url);
  onTestFinished(() => redis.disconnect());
  await redis.ping();
  proxy.commands.splice(0);

  function call(script: ReturnType<typeof scriptOf>, ...args: ScriptArgument[]): Promise<unknown> {
    const made = new ScriptCall(redis, script, ['{x}key'], args);
    redis.sendCommand(made);
    return made.promise;
  }
  return { redis, proxy, call };
}

test('arguments arrive as they are, whatever is in them', async () => {
  const { call } = await open();
  const args = [
    '',
    'điểm 🎁',
    'a\r\n$3\r\nb',
    -1.5,
    1_795_626_761_956,
    Buffer.alloc(0),
    Buffer.from([0, 255, 13, 10]),
  ];
  const answer = await call(scriptOf('return { KEYS[1], unpack(ARGV) }', 1), ...args);
  const sent = ['{x}key', ...args].map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(`${arg}`)));
  expect(answer).toEqual(sent);
});

test('the source goes out once, then the hash', async () => {
  const { proxy, call } = await open();
  const script = scriptOf('return 1', 1);
  for (let n = 0; n < 3; n++) expect(await call(script)).toBe(1);
  expect(proxy.commands).toEqual(['eval', 'evalsha', 'evalsha']);
});

test('a script that Redis forgot is given again, once for each call that was under way', async () => {
  const { redis, proxy, call } = await open();
  const script = scriptOf('return 1', 1);
  await call(script);
  await redis.script('FLUSH');
  proxy.commands.splice(0);
  expect(await Promise.all([call(script), call(script)])).toEqual([1, 1]);
  expect(proxy.commands.filter((name) => name === 'evalsha')).toHaveLength(2);
  expect(await call(script)).toBe(1);
});

test('an error that only looks as if the script were unknown is no reason to send forever', async () => {
  const { proxy, call } = await open();
  const script = scriptOf(`return redis.error_reply('NOSCRIPT says the script')`, 1);
  await expect(call(script)).rejects.toThrow('NOSCRIPT');
  await expect(call(script)).rejects.toThrow('NOSCRIPT');
  expect(proxy.commands).toEqual(['eval', 'evalsha', 'eval']);
});

test('what overrides ioredis is for one version of it', () => {
  expect(manifest.dependencies.ioredis).toMatch(/^\d+\.\d+\.\d+$/);
});
