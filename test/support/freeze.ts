import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { VERSION } from '../../src/conversation/state.ts';
import {
  readIntent,
  readMessage,
  readOutboxItem,
  readStored,
  withVersion,
} from '../../src/engine/messages.ts';
import { readState } from './conversation.ts';
import { readStoredSamples } from './samples.ts';
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
 * version before that this one stores otherwise, with the hashes of its shapes beside. Run once for a version, by its code;
 * what is frozen is never written again (docs/recipes/stored.md).
 */
if (import.meta.main) {
  const shapesPath = new URL(`../bodies/${VERSION}-shapes.json`, import.meta.url);
  if (existsSync(shapesPath)) throw new Error(`version ${VERSION} is frozen`);
  for (const kind of ['states', 'bodies'] as const) {
    const lines = [...readStoredSamples(kind, VERSION - 1)].flatMap(([name, before]) => {
      const body = rewritten(name, before);
      return isDeepStrictEqual(body, { ...Object(before), v: VERSION })
        ? []
        : `${JSON.stringify({ name, body })}\n`;
    });
    if (lines.length > 0)
      writeFileSync(new URL(`../${kind}/${VERSION}.jsonl`, import.meta.url), lines.join(''));
  }
  rmSync(new URL(`../bodies/${VERSION - 1}-shapes.json`, import.meta.url), { force: true });
  writeFileSync(shapesPath, `${JSON.stringify(shapes(), null, 2)}\n`);
}
