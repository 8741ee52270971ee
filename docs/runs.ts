import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/*
 * `docs/runs.json` keeps the results of the last runs that show what the bot promises. Each program that can
 * show something writes its own part when it is asked to (`--record`); `npm run docs` writes docs/proof.md
 * and docs/simulator.md from it.
 */

const FILE = new URL('runs.json', import.meta.url);

const count = z.int().nonnegative();

/** The commit that ran, with `-dirty` if files other than this record differed from it, and the day. */
const stamp = { commit: z.string(), day: z.iso.date() };

/** What the kill run counts. */
export const killsSchema = z.strictObject({
  people: count,
  kills: count,
  redeliveries: count,
  accumulations: count,
  redemptions: count,
  notApplied: count,
  calls: count,
  faults: count,
});

const SHAPES = {
  /** `npm run simulate -- --record`. `counts`: how often each kind of event happened. */
  simulated: z.strictObject({
    ...stamp,
    seed: count,
    histories: count,
    messages: count,
    broken: count,
    seconds: count,
    counts: z.record(z.string(), count),
  }),
  /** `npm run simulate -- --planted --record`. `foundBy` is empty: nothing found it. */
  planted: z.strictObject({
    ...stamp,
    seed: count,
    defects: z.array(
      z.strictObject({
        invariant: z.string(),
        name: z.string(),
        histories: count,
        foundBy: z.array(z.string()),
      }),
    ),
  }),
  /** `npm run simulate -- --redis --record`. */
  redis: z.strictObject({ ...stamp, seed: count, histories: count, messages: count, differences: count }),
  /**
   * `npm run simulate -- --staff --record`: operations without an answer, and those that ended with staff.
   */
  staff: z.strictObject({
    ...stamp,
    oddities: z.array(z.strictObject({ name: z.string(), unanswered: count, withStaff: count })),
  }),
  /** `npm run simulate -- --scope --record`: all small histories, and what `judge` made of them. */
  scope: z.strictObject({
    ...stamp,
    cases: count,
    seconds: count,
    wrong: count,
    verdicts: z.record(z.string(), count),
    undecided: z.record(z.string(), count),
    limits: z.record(z.string(), count),
  }),
  /** `npm run record -- tests REPORT`. */
  tests: z.strictObject({ ...stamp, files: count, passed: count, failed: count, seconds: count }),
  /** `npm run record -- acceptance OUTPUT`. */
  acceptance: z.strictObject({
    ...stamp,
    suites: z.array(z.strictObject({ name: z.string(), held: count, cases: count })),
  }),
  /** `npm run record -- kills OUTPUT`. */
  kills: killsSchema.extend(stamp),
};

const runsSchema = z.strictObject(SHAPES).partial();
export type Runs = z.infer<typeof runsSchema>;
type RunName = keyof Runs;
/** What a program says of its run; the commit and the day are added. */
export type RunResult<Name extends RunName> = Omit<NonNullable<Runs[Name]>, 'commit' | 'day'>;

/** The last runs, each of them as far as it was recorded. */
export function readRuns(): Runs {
  return runsSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
}

const git = (...args: readonly string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();

/** Keeps the result of a run in place of the one before, and says so. */
export function recordRun<Name extends RunName>(name: Name, result: RunResult<Name>): void {
  const commit = git('rev-parse', '--short', 'HEAD');
  // A run that was recorded before this one changed the file, not the code.
  const isDirty = git('status', '--porcelain', '--', ':/', ':(top,exclude)docs/runs.json') !== '';
  const day = new Date().toISOString().slice(0, 10);
  const runs = runsSchema.parse({
    ...readRuns(),
    [name]: { commit: `${commit}${isDirty ? '-dirty' : ''}`, day, ...result },
  });
  writeFileSync(FILE, `${JSON.stringify(runs, null, 2)}\n`);
  console.log(`docs/runs.json has this run: npm run docs writes docs/proof.md from it`);
}
