import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/*
 * `node .ci/summary.mjs REPORT`: the closing lines of a run, from vitest's JSON report: what failed, and how many passed. A file
 * that fails outside its tests (it could not be loaded, something leaked into a log) counts as one failure.
 */

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
const failures = testResults
  .filter(({ status }) => status === 'failed')
  .flatMap(({ name, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const names = failed.length > 0 ? failed.map(({ fullName }) => fullName) : ['outside its tests'];
    return names.map((test) => `${relative(process.cwd(), name)}: ${test}`);
  });
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${tests.filter(({ status }) => status === 'passed').length} passed, ${failures.length} failed`);
