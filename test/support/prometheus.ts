import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { killChild, startChild } from './children.ts';
import { freePort } from './ports.ts';

const OPS = fileURLToPath(new URL('../../ops/prometheus/', import.meta.url));

/** What `npm run setup` brings. */
function missing(program: string): Error {
  return new Error(`${program} is not on this machine: npm run setup`);
}

/** A shell's exit code for a program that is not there. */
const NOT_FOUND = 127;

const notThere = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Runs promtool beside the rules; rejects with what it has to say. */
export function promtool(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('promtool', args, { cwd: OPS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(notThere(error) ? missing('promtool') : new Error(`${stdout}${stderr}`));
    });
  });
}

const resultSchema = z.strictObject({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});
export type Sample = z.infer<typeof resultSchema>['data']['result'][number];

const rulesSchema = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            query: z.string(),
            type: z.enum(['alerting', 'recording']),
            health: z.enum(['ok', 'err', 'unknown']),
            lastError: z.string().optional(),
            state: z.string().optional(),
            labels: z.record(z.string(), z.string()).optional(),
            annotations: z.record(z.string(), z.string()).optional(),
          }),
        ),
      }),
    ),
  }),
});
export type Rule = z.infer<typeof rulesSchema>['data']['groups'][number]['rules'][number];

export type Prometheus = {
  /** The samples of a query now. Rejects where there is anything to say against it, if only a hint. */
  query(expression: string): Promise<readonly Sample[]>;
  rules(): Promise<readonly Rule[]>;
  stop(): Promise<void>;
};

/** A Prometheus of this test's own, with the rules of `ops/`; it scrapes `target` (`host:port`) four times a second. */
export async function startPrometheus(target: string): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  const config = join(dir, 'prometheus.yml');
  const settings = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '250ms' },
    rule_files: [join(OPS, 'rules.yml')],
    scrape_configs: [{ job_name: 'antcrm-chatbot', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(settings));
  const said: string[] = [];
  const server = startChild('prometheus', [
    ...['--config.file', config, '--storage.tsdb.path', join(dir, 'data'), '--log.level', 'warn'],
    ...['--web.listen-address', `127.0.0.1:${port}`],
  ]);
  server.stdout.resume();
  server.stderr.on('data', (text) => said.push(String(text)));
  let ended: Error | undefined;
  server.once('close', (code) => {
    ended = code === NOT_FOUND ? missing('prometheus') : new Error(`prometheus ended:\n${said.join('')}`);
  });

  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/-/ready`)
      .then(({ ok }) => ok)
      .catch(() => false);
  while (!(await isReady())) {
    if (ended !== undefined) throw ended;
    await delay(50);
  }
  return {
    async query(expression) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
      return resultSchema.parse(await response.json()).data.result;
    },
    async rules() {
      const response = await fetch(`${url}/api/v1/rules`);
      return rulesSchema.parse(await response.json()).data.groups.flatMap(({ rules }) => rules);
    },
    async stop() {
      await killChild(server);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
