import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives this run a folder for all that its programs write, and returns what removes it. */
export default function useFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'antcrm-test-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
