// Preloaded by the npm scripts (`--import`), so that an older Node, which cannot even read TypeScript, says what is
// wrong. Plain JavaScript, for the same reason.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const running = process.versions.node;

if (Number.parseInt(running, 10) < NEEDED) {
  console.error(
    `The AntCRM chatbot needs Node ${NEEDED} or newer, this is Node ${running}: see https://nodejs.org`,
  );
  process.exit(78);
}

// What is compiled is kept: the next start takes half the processor, and does without what strips types (20 MB). Where the
// folder cannot be written, nothing is.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));
