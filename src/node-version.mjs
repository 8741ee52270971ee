// Preloaded by the npm scripts (`--import`), so that an older Node, which cannot even read TypeScript, says what is
// wrong. Plain JavaScript, for the same reason.
const NEEDED = 24;
const running = process.versions.node;

if (Number.parseInt(running, 10) < NEEDED) {
  console.error(
    `The AntCRM chatbot needs Node ${NEEDED} or newer, this is Node ${running}: see https://nodejs.org`,
  );
  process.exit(78);
}
