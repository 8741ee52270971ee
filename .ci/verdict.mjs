import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/*
 * Reads vitest's JSON reports.
 *
 *   node .ci/verdict.mjs failed FIRST        the files that failed, a line each
 *   node .ci/verdict.mjs sum FIRST [AGAIN]   what failed, and the closing line; 1 where anything failed for good
 *
 * FIRST: the whole suite. AGAIN: the files that failed in it, by themselves.
 */

const [want, ...paths] = process.argv.slice(2);
const [first, again] = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')));

const nameOf = ({ name }) => relative(process.cwd(), name);
const failedFiles = ({ testResults }) => testResults.filter(({ status }) => status === 'failed');

const OUTSIDE = 'outside its tests';
/** A file that fails outside its tests (it could not be loaded, something leaked into a log) counts as one failure. */
function failuresOf(file) {
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  const names = failed.length > 0 ? failed.map(({ fullName }) => fullName) : [OUTSIDE];
  return names.map((name) => `${nameOf(file)}: ${name}`);
}
const failures = (report) => failedFiles(report).flatMap(failuresOf);

if (want === 'failed') {
  for (const file of failedFiles(first)) console.log(nameOf(file));
} else {
  const lasting = failures(again ?? first);
  if (again) for (const failure of failures(first)) console.log(`failed beside the others: ${failure}`);
  for (const failure of lasting) console.log(`failed: ${failure}`);
  const run = first.numTotalTests - first.numPendingTests;
  const tests = lasting.filter((failure) => !failure.endsWith(OUTSIDE));
  console.log(`${run - tests.length} passed, ${lasting.length} failed`);
  process.exit(run === 0 || lasting.length > 0 ? 1 : 0);
}
