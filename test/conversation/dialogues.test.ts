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
