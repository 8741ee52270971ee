import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { killsSchema, recordRun } from './runs.ts';

/*
 * `npm run record -- KIND FILE` keeps the result of a run outside this repository's programs in
 * docs/runs.json:
 *
 * - `tests`: the JSON report of `npm test -- --reporter=json --outputFile.json=FILE`.
 * - `acceptance`: what the acceptance suites print, lines like `people: 63 of 63`.
 * - `kills`: what the acceptance's kill run prints, a line like `20 people, 51 kills, …`.
 */

const USAGE = 'npm run record -- tests | acceptance | kills FILE';

const reportSchema = z.object({
  startTime: z.number(),
  testResults: z.array(
    z.object({ endTime: z.number(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

function recordTests(text: string): void {
  const { startTime, testResults } = reportSchema.parse(JSON.parse(text));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const endTime = Math.max(...testResults.map((file) => file.endTime));
  recordRun('tests', {
    files: testResults.length,
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length,
    seconds: Math.round((endTime - startTime) / 1000),
  });
}

function recordAcceptance(text: string): void {
  const lines = [...text.matchAll(/^([\w-]+): (\d+) of (\d+)/gm)];
  if (lines.length === 0) throw new Error('no line like "people: 63 of 63"');
  recordRun('acceptance', {
    suites: lines.map(([, name = '', held, cases]) => ({ name, held: Number(held), cases: Number(cases) })),
  });
}

const KILLS =
  /(\d+) people, (\d+) kills, (\d+) redeliveries, (\d+) accumulations and (\d+) redemptions told \((\d+) not applied\); (\d+) calls; (\d+) faults/;

function recordKills(text: string): void {
  const numbers = KILLS.exec(text)?.slice(1).map(Number);
  if (numbers === undefined) throw new Error('no line like "20 people, 51 kills, …"');
  const names = ['people', 'kills', 'redeliveries', 'accumulations', 'redemptions', 'notApplied', 'calls'];
  const figures = Object.fromEntries([...names, 'faults'].map((name, at) => [name, numbers[at]]));
  recordRun('kills', killsSchema.parse(figures));
}

const RECORDERS: Readonly<Record<string, (text: string) => void>> = {
  tests: recordTests,
  acceptance: recordAcceptance,
  kills: recordKills,
};

const [kind = '', file] = process.argv.slice(2);
const recorder = RECORDERS[kind];
if (recorder === undefined || file === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else recorder(readFileSync(file, 'utf8'));
