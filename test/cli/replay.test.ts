import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type StaffClient } from '../../src/channels/staff/client.ts';
import { replay } from '../../src/cli/replay.ts';
import { readScript, type Script, scriptSchema } from '../../src/cli/script.ts';
import { type Running, startBot } from '../support/app.ts';

const scripts = globSync('test/replay/*.json');
/** Lost answers are found within a second. */
const QUICK = { ANTCRM_TIMEOUT_MS: '2000', OPERATION_CHECKS: '300ms,1s,3s' };

let bot: Running;
let client: StaffClient;
beforeAll(async () => {
  bot = await startBot(QUICK);
  client = createClient(bot.url);
});
afterAll(() => bot.stop());

/** What a script's replay says, and how many steps differ. */
async function run(script: Script, patienceMs?: number) {
  const said: string[] = [];
  const differing = await replay({ client, script, say: (line) => said.push(line), patienceMs });
  return { said: said.join('\n'), differing };
}

const script = (...steps: unknown[]): Script => scriptSchema.parse({ steps });

describe('the recorded conversations', () => {
  it('are three at least', () => {
    expect(scripts.length).toBeGreaterThanOrEqual(3);
  });

  it.each(scripts)('%s is answered as it was', async (file) => {
    const { said, differing } = await run(await readScript(file));
    expect(differing, said).toBe(0);
  });
});

describe('a replay', () => {
  it('tells what came instead of what should have come', async () => {
    const { said, differing } = await run(
      script(
        { send: { text: 'tích điểm' }, keys: ['menu'] },
        { send: { text: 'huỷ' }, keys: ['cancel.done'] },
      ),
    );
    expect(differing).toBe(1);
    expect(said).toContain('✗ accumulate.askCode\n    instead of menu');
    expect(said).toContain('✓ cancel.done');
  });

  it('misses what was to come later', async () => {
    const { differing } = await run(
      script({
        send: { text: 'tích điểm' },
        keys: ['accumulate.askCode'],
        later: ['operation.resolved.done'],
      }),
      300,
    );
    expect(differing).toBe(1);
  });

  it('differs where the webhook refuses', async () => {
    const { said, differing } = await run(script({ send: {}, keys: [] }));
    expect(differing).toBe(1);
    expect(said).toContain('one fault');
  });
});

describe('a script', () => {
  it('may hold whatever the webhook takes, and nothing else', () => {
    const read = scriptSchema.safeParse({ steps: [{ send: { txt: 'a' }, keys: [] }] });
    expect(read.success).toBe(false);
    expect(scriptSchema.safeParse({ steps: [] }).success).toBe(false);
  });

  it('holds nobody’s data but the sandbox’s own customer', () => {
    for (const file of scripts) expect(readFileSync(file, 'utf8')).not.toMatch(/09\d{8}|@(?!gmail\.com)/);
  });
});
