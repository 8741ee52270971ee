import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ALARMS } from '../../src/observability/log.ts';

/* The commands of docs/operators.md, as they are pasted, with programs that only say how they were called. */

const document = readFileSync(new URL('../../docs/operators.md', import.meta.url), 'utf8');
const night = /^## At three in the morning\n([\s\S]*?)^## /m.exec(document)?.[1] ?? '';
const [compose = '', systemd = '', kubernetes = '', all = ''] = blocksIn(night);
const DEPLOYMENTS = { compose, systemd, kubernetes };

function blocksIn(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
}

const FUNCTIONS = [...`${compose}${all}`.matchAll(/^(\w+)\(\) \{/gm)].map(([, name = '']) => name);

/** A folder with programs of these names; each prints its name and words, and what stands for ids. */
function stubs(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stubs-'));
  for (const name of ['docker', 'kubectl', 'sudo', 'sudoedit', 'git', 'editor', 'sleep']) {
    const says = `#!/bin/sh\ncase "$*" in\n  *'ps -q'*) echo one; echo two;;\n  *'-o name'*) echo pod/one;;\n  *) echo "${name} $*";;\nesac\n`;
    writeFileSync(join(folder, name), says);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

async function paste(block: string, command: string): Promise<string> {
  const env = { PATH: `${stubs()}:${process.env.PATH}`, USER: 'lan', EDITOR: 'editor' };
  const script = `set -eu\n${block}\n${all}\n${command}`;
  return (await promisify(execFile)('bash', ['-c', script], { env })).stdout;
}

test.each([
  ['compose', 'operations list', ['docker compose exec -T bot node src/cli/operations.ts --as lan list']],
  ['compose', 'ready', ['docker exec one node -e fetch', 'docker exec two node -e fetch']],
  ['compose', 'logs 24h', ['docker compose logs --no-log-prefix --since 24h bot']],
  ['compose', 'redis PING', ['docker compose exec -T redis redis-cli PING']],
  ['compose', 'more 3', ['--scale bot=3 bot']],
  [
    'systemd',
    'operations show REF',
    ['EnvironmentFile=/etc/antcrm-chatbot.env', '-- node src/cli/operations.ts'],
  ],
  ['systemd', 'metric bot_ready', ['-- node -e fetch', 'bot_ready']],
  ['systemd', 'logs', ['journalctl --quiet -u antcrm-chatbot -o cat --since -1h']],
  ['systemd', 'redis INFO memory', ['redis-cli -u "$REDIS_URL" "$@" sh INFO memory']],
  ['kubernetes', 'operations list', ['kubectl exec -i deployment/antcrm-chatbot -c bot -- node']],
  ['kubernetes', 'ready', ['kubectl exec -i pod/one -c bot -- node -e fetch']],
  ['kubernetes', 'version 0.2.0', ['bot=antcrm-chatbot:0.2.0 check=antcrm-chatbot:0.2.0', 'rollout status']],
  ['kubernetes', 'more 3', ['kubectl scale deployment/antcrm-chatbot --replicas=3']],
] as const)('on %s, the command %s sends the documented request', async (deployment, command, calls) => {
  const output = await paste(DEPLOYMENTS[deployment], command);
  for (const call of calls) expect(output).toContain(call);
});

test.each(Object.entries(DEPLOYMENTS))('%s has every command of the page', (_, block) => {
  const defined = [...`${block}${all}`.matchAll(/^(\w+)\(\) \{/gm)].map(([, name = '']) => name);
  expect(FUNCTIONS.filter((name) => !defined.includes(name))).toEqual([]);
});

test('each alarm and each rule ends with commands to paste, and none of them is unknown', () => {
  const sections = document.split(/^##+ /m);
  const rules = sections.filter((section) => /^\*\*Do\*\*/m.test(section));
  expect(rules.length).toBeGreaterThan(ALARMS.length);
  const known = new Set([...FUNCTIONS, 'grep', 'tail']);
  for (const section of rules) {
    const [alarm = ''] = section.split('\n');
    const lines = blocksIn(section).join('').split('\n').filter(Boolean);
    expect([alarm, lines.length > 0]).toEqual([alarm, true]);
    const words = lines.flatMap((line) => line.split(' | ').map((part) => /^\S+/.exec(part)?.[0] ?? ''));
    expect([alarm, words.filter((word) => !known.has(word))]).toEqual([alarm, []]);
  }
});
