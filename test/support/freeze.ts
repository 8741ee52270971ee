import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { VERSION } from '../../src/conversation/state.ts';
import {
  readIntent,
  readMessage,
  readOutboxItem,
  readStored,
  withVersion,
} from '../../src/engine/messages.ts';
import { readState } from './conversation.ts';
import { readSamples, storedSchema } from './samples.ts';
import { shapes } from './shapes.ts';

/** A sample of any version, as this version stores the same. */
export function rewritten(name: string, body: unknown): unknown {
  if (/^(message|letter-message)/.test(name)) return withVersion(readMessage(body));
  if (/^(reply|unlock)/.test(name)) return withVersion(readOutboxItem(body));
  if (name.startsWith('intent')) return withVersion(readIntent(body));
  return withVersion(readStored(JSON.stringify(body), readState));
}

/*
 * `node test/support/freeze.ts` writes `test/states/<version>.jsonl` and `test/bodies/<version>.jsonl`: the samples of the
 * version before, in today's shape, with the hashes of today's shapes beside. Run once for a version, by the code of that
 * version; what is frozen is never written again (CONTRIBUTING.md, "What is stored").
 */
if (import.meta.main) {
  for (const kind of ['states', 'bodies'] as const) {
    const path = new URL(`../${kind}/${VERSION}.jsonl`, import.meta.url);
    if (existsSync(path)) throw new Error(`version ${VERSION} is frozen`);
    const samples = readSamples(`${kind}/${VERSION - 1}.jsonl`, storedSchema);
    const lines = samples.map(({ name, body }) => JSON.stringify({ name, body: rewritten(name, body) }));
    writeFileSync(path, `${lines.join('\n')}\n`);
  }
  const shapesPath = new URL(`../bodies/${VERSION}-shapes.json`, import.meta.url);
  rmSync(new URL(`../bodies/${VERSION - 1}-shapes.json`, import.meta.url), { force: true });
  writeFileSync(shapesPath, `${JSON.stringify(shapes(), null, 2)}\n`);
}
