const { writeSync } = require('node:fs');
const { workerData } = require('node:worker_threads');

// The thread of `watchdog.ts`. It is plain CommonJS: stripping types takes 15 MB more, modules and the inspector 2.

const TICK_MS = 1000;
const STUCK_TICKS = 10;
/** How long the loop has to run the inspector's commands. If it hangs in native code, it never does. */
const INSPECT_MS = 1000;
/** sysexits.h: EX_SOFTWARE. */
const EXIT_STUCK = 70;

const [TICKS, NAME_LENGTH, NAME_AT] = [0, 1, 8];
const { shared, alarm } = workerData;
const counters = new Int32Array(shared, 0, 2);
let seen = -1;
let still = 0;

// Ends the process when the loop has not ticked during ten ticks of this thread.
const timer = setInterval(() => {
  const ticks = Atomics.load(counters, TICKS);
  still = ticks === seen ? still + 1 : 0;
  seen = ticks;
  if (still < STUCK_TICKS) return;
  clearInterval(timer);
  endProcess(Buffer.from(shared, NAME_AT).toString('latin1', 0, Atomics.load(counters, NAME_LENGTH)));
}, TICK_MS);

/**
 * The inspector interrupts endless JavaScript: it gets the stack and exits the process. It works even for
 * process 1 of a container, which no signal from inside can kill. SIGKILL ends a loop that hangs in native
 * code.
 */
function endProcess(conversation) {
  const kill = setTimeout(() => {
    tell(conversation);
    process.kill(process.pid, 'SIGKILL');
  }, INSPECT_MS);
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.evaluate', { expression: 'new Error().stack' }, (_error, answer) => {
    clearTimeout(kill);
    tell(conversation, answer?.result.value);
    session.post('Runtime.evaluate', { expression: `process.reallyExit(${EXIT_STUCK})` });
  });
}

/** Writes a line in the log's format. The thread writes it, because the loop cannot. */
function tell(conversation, stack) {
  const about = { ...(conversation && { conversation }), ...(typeof stack === 'string' && { stack }) };
  const line = { level: 50, time: Date.now(), ...about, alarm, msg: `Alarm: ${alarm}` };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads the log fast enough. The process ends all the same.
  }
}
