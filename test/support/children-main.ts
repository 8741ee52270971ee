/** Starts one of each kind of helper that tests have, prints their pids, and waits to be killed. */
import { openBrowser } from './browser.ts';
import { startBot } from './processes.ts';
import { startPrometheus } from './prometheus.ts';
import { startRedis } from './redis.ts';

const [_redis, bot, browser, prometheus] = await Promise.all([
  startRedis(),
  startBot(),
  openBrowser(),
  startPrometheus('127.0.0.1:1'),
]);
void browser;
void prometheus;
// A stopped process can end nothing by itself.
process.kill(bot.pid, 'SIGSTOP');
console.log('all run');
