import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';

// The thread of `watchdog.ts`. It is plain JavaScript, because a thread that strips types takes 15 MB more.

const TICK_MS = 1000;
const STUCK_TICKS = 10;
/** The loop gets this long to run the inspector's commands; what hangs in native code does not run them. */
const INSPECT_MS = 1000;
/** sysexits.h: EX_SOFTWARE. */
const EXIT_STUCK = 70;

const [TICKS, NAME_LENGTH, NAME_AT] = [0, 1, 8];
const { shared, alarm } = workerData;
const counters = new Int32Array(shared, 0, 2);
let seen = -1;
let still = 0;

// Waits until the loop has not ticked for ten of the thread's own ticks.
const timer = setInterval(() => {
  const ticks = Atomics.load(counters, TICKS);
  still = ticks === seen ? still + 1 : 0;
  seen = ticks;
  if (still < STUCK_TICKS) return;
  clearInterval(timer);
  endProcess(Buffer.from(shared, NAME_AT).toString('latin1', 0, Atomics.load(counters, NAME_LENGTH)));
}, TICK_MS);

/**
 * The inspector interrupts JavaScript that never ends: it tells where that is, and exits even as process 1 of
 * a container, which no signal from within can kill. SIGKILL ends a loop that hangs in native code.
 */
function endProcess(conversation) {
  const kill = setTimeout(() => {
    tell(conversation);
    process.kill(process.pid, 'SIGKILL');
  }, INSPECT_MS);
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.evaluate', { expression: 'new Error().stack' }, (_error, answer) => {
    clearTimeout(kill);
    tell(conversation, answer?.result.value);
    session.post('Runtime.evaluate', { expression: `process.reallyExit(${EXIT_STUCK})` });
  });
}

/** As the log writes its lines, past the loop that usually does. */
function tell(conversation, stack) {
  const about = { ...(conversation && { conversation }), ...(typeof stack === 'string' && { stack }) };
  const line = { level: 50, time: Date.now(), ...about, alarm, msg: `Alarm: ${alarm}` };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads the log fast enough. The process ends all the same.
  }
}
