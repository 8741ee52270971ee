import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const profileSchema = z.object({
  nodes: z.array(
    z.object({ id: z.number(), callFrame: z.object({ functionName: z.string(), url: z.string() }) }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** How much of a profile's busy time was spent where, most first: by package, by file of ours, by part of Node. */
export async function summarise(dir: string, top: number): Promise<{ where: string; percent: number }[]> {
  const [name] = (await readdir(dir)).filter((file) => file.endsWith('.cpuprofile'));
  if (name === undefined) throw new Error(`no profile in ${dir}`);
  const profile = profileSchema.parse(JSON.parse(await readFile(join(dir, name), 'utf8')));
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const spent = new Map<string, number>();
  let busy = 0;
  for (const [at, id] of profile.samples.entries()) {
    const where = places.get(id) ?? '';
    const time = profile.timeDeltas[at] ?? 0;
    if (where === '(idle)') continue;
    busy += time;
    spent.set(where, (spent.get(where) ?? 0) + time);
  }
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([where, time]) => ({ where, percent: (100 * time) / busy }));
}

function placeOf({ functionName, url }: { functionName: string; url: string }): string {
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  const ours = /\/src\/(.*)$/.exec(url)?.[1];
  if (ours !== undefined) return `src/${ours}`;
  return url || functionName;
}
