import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ENV, ownRedis, type Row } from '../../support/faults-rows.ts';

/** Processes that come and go. */

const stops: Row = {
  name: 'a bot is stopped by SIGTERM, and another one goes on',
  ready: 'serves',
  isSample: true,
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
    let stopped: Promise<unknown> = Promise.resolve();
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      next: async () => [await world.bot(redis.url, ENV)],
      async begin(bots) {
        stopped = Promise.all(bots.map((bot) => bot.stop())).then((ends) => {
          for (const { code } of ends) if (code !== 0) throw new Error(`a stop ended with ${code}`);
        });
      },
      end: () => stopped,
      stores: () => [redis.url],
    };
  },
};

/** The last version whose stored bodies had no version of their own. */
const OLD = 'ede7d90';
const root = fileURLToPath(new URL('../../../', import.meta.url));

const update: Row = {
  name: `the version ${OLD} and this one work side by side`,
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
    const dir = await mkdtemp(join(tmpdir(), 'old-version-'));
    finish(() => rm(dir, { recursive: true, force: true }));
    await run(`git archive ${OLD} | tar -x -C "${dir}"`, root);
    await run('npm ci --omit=dev --ignore-scripts --no-audit --no-fund', dir);
    const old = await world.bot(redis.url, ENV, join(dir, 'test/support/faults-main.ts'));
    return {
      bots: async () => [old],
      next: async () => [old, await world.bot(redis.url, ENV)],
      begin: async () => {},
      end: () => old.stop(),
      stores: () => [redis.url],
    };
  },
};

const run = (command: string, cwd: string) => promisify(execFile)('sh', ['-c', command], { cwd });

export const processes: readonly Row[] = [stops, update];
