import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTranscripts, runTranscript } from '../support/transcript.ts';

const folder = new URL('../dialogues/', import.meta.url);

describe.each(globSync('*.txt', { cwd: folder }).sort())('%s', (file) => {
  const topics = readTranscripts(readFileSync(new URL(file, folder), 'utf8'));
  describe.each(topics)('$name', ({ scenarios }) => {
    test.each(scenarios)('$name', ({ paths }) => {
      const faults = paths.flatMap((path) => {
        try {
          runTranscript(path);
          return [];
        } catch (error) {
          return [`${file}, ${error instanceof Error ? error.message : error}`];
        }
      });
      expect([...new Set(faults)].join('\n\n')).toBe('');
    });
  });
});

test('the transcript that CONTRIBUTING.md shows runs', () => {
  const [, shown = ''] =
    /^```text\n(## [\s\S]*?)^```/m.exec(
      readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8'),
    ) ?? [];
  const paths = readTranscripts(`# CONTRIBUTING.md\n\n${shown}`).flatMap(({ scenarios }) =>
    scenarios.flatMap((scenario) => scenario.paths),
  );
  expect(paths).toHaveLength(2);
  paths.forEach(runTranscript);
});

describe('a transcript that says something else than what comes', () => {
  const SUMMED = 'tích điểm TIVI000000017 0912345678 minh@example.vn';

  test.each([
    ['a reply', `${SUMMED} → accumulate.askCode`],
    ['a reply more', `${SUMMED} → accumulate.summary, accumulate.askCode`],
    ['a parameter', 'tích điểm TIVIO00000120 → code.offer(code=TIVI000000121)'],
    ['a value', `${SUMMED} → … ; codes TIVI000000018`],
    ['a word', `${SUMMED} → … ; says TIVI000000018`],
    ['a button', `${SUMMED} → … ; offers forget`],
    ['a fact that nobody knows', `${SUMMED} → … ; nonsense`],
    ['a call more', `${SUMMED}\n[confirm] → … ! accumulate ! accumulate`],
    ['what was asked', 'as teams\nxem điểm → … ? balance phone'],
    ['what stays', `${SUMMED}\nhuỷ → … ; loses nothing`],
    ['one of two ways', `tích điểm\nTIVI000000017 | huỷ → accumulate.askPhone`],
    ['one of two names', `let what: TIVI000000017 | huỷ\ntích điểm\n{what} → accumulate.askPhone`],
    [
      'a way within a way',
      `- - AntCRM works\n  - AntCRM refuses\n  ${SUMMED}\n  [confirm] → accumulate.refused, … ! accumulate`,
    ],
  ])('fails: %s', (_, lines) => {
    const [topic] = readTranscripts(`# Topic\n## scenario\n${lines}`);
    const paths = topic?.scenarios.flatMap((scenario) => scenario.paths) ?? [];
    expect(paths.length).toBeGreaterThan(0);
    expect(() => {
      for (const path of paths) runTranscript(path);
    }).toThrow(/^line \d: /);
  });
});
