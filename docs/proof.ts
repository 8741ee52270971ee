import type { Runs } from './runs.ts';

/* The parts of docs/proof.md and docs/simulator.md that come from the last runs (`docs/runs.json`). */

type Cell = string | number;

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

const grouped = (number: number): string => number.toLocaleString('en');
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

const NOT_YET = 'not recorded yet';

/** The row of a run: what ran, what it showed, of which commit, and when. */
function rowOf<Run extends { readonly commit: string; readonly day: string }>(
  command: string,
  run: Run | undefined,
  describe: (run: Run) => string,
): Cell[] {
  return run ? [command, describe(run), `\`${run.commit}\``, run.day] : [command, NOT_YET, '', ''];
}

function describeShares({ oddities }: NonNullable<Runs['staff']>): string {
  const sum = (of: (oddity: (typeof oddities)[number]) => number): number =>
    oddities.reduce((total, oddity) => total + of(oddity), 0);
  const unanswered = grouped(sum((oddity) => oddity.unanswered));
  const withStaff = sum((oddity) => oddity.withStaff);
  return `${unanswered} calls without an answer, under ${oddities.length} kinds of AntCRM: ${withStaff} ended with staff, the bot settled the others`;
}

function describeKills(run: NonNullable<Runs['kills']>): string {
  const { people, kills, redeliveries, accumulations, redemptions, notApplied, calls, faults } = run;
  return [
    `${people} people, ${kills} processes killed, ${grouped(redeliveries)} updates sent again`,
    `${accumulations} accumulations and ${redemptions} redemptions told (${notApplied} as not applied)`,
    `${calls} calls, ${faults} faults`,
  ].join('; ');
}

function describePlanted({ defects }: NonNullable<Runs['planted']>): string {
  const noticed = defects.filter(({ invariant, foundBy }) => foundBy.includes(invariant));
  return `${noticed.length} of ${defects.length} defects noticed by their invariant`;
}

function describeScope({ cases, wrong, verdicts, seconds }: NonNullable<Runs['scope']>): string {
  const undecided = percent(verdicts.undecided ?? 0, cases);
  return `${grouped(cases)} small histories: ${wrong} false certainties, ${undecided} undecided; ${seconds} s`;
}

const lastRuns = ({ tests, simulated, planted, redis, staff, scope, kills, acceptance }: Runs): Cell[][] => [
  rowOf(
    '`npm test`',
    tests,
    (run) =>
      `${grouped(run.passed)} tests in ${run.files} files passed, ${run.failed} failed; ${run.seconds} s`,
  ),
  rowOf(
    '`npm run simulate`',
    simulated,
    (run) =>
      `${grouped(run.messages)} messages in ${run.histories} histories from seed ${run.seed} on; ${run.broken} histories broke a promise; ${run.seconds} s`,
  ),
  rowOf('`npm run simulate -- --planted`', planted, describePlanted),
  rowOf(
    '`npm run simulate -- --redis`',
    redis,
    (run) =>
      `${grouped(run.messages)} messages in ${run.histories} histories, in memory and on a real Redis: ${run.differences} differences`,
  ),
  rowOf('`npm run simulate -- --staff`', staff, describeShares),
  rowOf('`npm run simulate -- --scope`', scope, describeScope),
  rowOf('the kill run', kills, describeKills),
  rowOf('the acceptance suites', acceptance, ({ suites }) =>
    suites.map(({ name, held, cases }) => `${name}: ${held} of ${cases}`).join('; '),
  ),
];

/** What the documents say of the last runs, by the name of the part. */
export function partsOf(
  runs: Runs,
): Readonly<Record<'runs' | 'events' | 'planted' | 'staff' | 'scope', string>> {
  const { planted, scope, simulated, staff } = runs;
  return {
    runs: table(['run', 'last figures', 'commit', 'day'], lastRuns(runs)),
    events: simulated
      ? table(
          ['kind of event', 'times', 'a thousand messages'],
          Object.entries(simulated.counts).map(([kind, times]) => [
            kind,
            grouped(times),
            ((1000 * times) / simulated.messages).toFixed(2),
          ]),
        )
      : NOT_YET,
    planted: planted
      ? table(
          ['invariant', 'planted defect', 'histories', 'noticed by'],
          planted.defects.map(({ invariant, name, histories, foundBy }) => [
            invariant,
            name,
            histories,
            foundBy.join(', ') || 'nothing',
          ]),
        )
      : NOT_YET,
    scope: scope
      ? table(
          ['of all small histories', 'cases', 'share'],
          [
            ...Object.entries(scope.verdicts).map(([is, cases]) => [is, cases] as const),
            ...Object.entries(scope.undecided).map(([why, cases]) => [`undecided: ${why}`, cases] as const),
            ...Object.entries(scope.limits).map(
              ([limit, cases]) => [`beyond evidence: ${limit}`, cases] as const,
            ),
          ].map(([name, cases]) => [name, grouped(cases), percent(cases, scope.cases)]),
        )
      : NOT_YET,
    staff: staff
      ? table(
          ["AntCRM's oddity, alone", 'operations without an answer', 'with staff', 'share'],
          staff.oddities.map(({ name, unanswered, withStaff }) => [
            name,
            unanswered,
            withStaff,
            percent(withStaff, unanswered),
          ]),
        )
      : NOT_YET,
  };
}
