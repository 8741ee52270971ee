import { writeSync } from 'node:fs';
import { Session, url } from 'node:inspector';
import { getCompileCacheDir } from 'node:module';
import { Worker, workerData } from 'node:worker_threads';
import { STUCK } from './log.ts';

/*
 * Ends a process whose event loop stands still: it answers nobody, hears no signal, and nothing else restarts it. A thread
 * counts its own ticks beside those of the loop, not wall time, so that a suspended machine ends no process.
 */

const TICK_MS = 1000;
const STUCK_TICKS = 10;
/** The loop gets this long to run the inspector's commands; what hangs in native code does not run them. */
const INSPECT_MS = 1000;
/** sysexits.h: EX_SOFTWARE. */
const EXIT_STUCK = 70;

/** What both threads see: the loop's ticks, and the name of the conversation that it works on. */
const TICKS = 0;
const NAME_LENGTH = 1;
const NAME_AT = 8;
const NAME_BYTES = 64;

export type Watchdog = ReturnType<typeof startWatchdog>;

/** Watches this thread's event loop. A debugger may stop it as long as it likes. */
export function startWatchdog() {
  const shared = new SharedArrayBuffer(NAME_AT + NAME_BYTES);
  const counters = new Int32Array(shared, 0, 2);
  const name = Buffer.from(shared, NAME_AT);
  if (url() === undefined) {
    setInterval(() => Atomics.add(counters, TICKS, 1), TICK_MS).unref();
    // With its sources compiled the thread takes half the memory.
    const compiled = getCompileCacheDir();
    const env = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };
    const resourceLimits = { maxOldGenerationSizeMb: 16 };
    new Worker(new URL(import.meta.url), { workerData: shared, env, execArgv: [], resourceLimits }).unref();
  }
  return {
    /** The alarm names this conversation if the loop stands still before `leave`. */
    enter(conversation = ''): void {
      counters[NAME_LENGTH] = name.write(conversation, 'latin1');
    },
    leave(): void {
      counters[NAME_LENGTH] = 0;
    },
  };
}

/** The thread: waits until the loop has not ticked for ten of its own ticks. */
function watch(shared: SharedArrayBuffer): void {
  const counters = new Int32Array(shared, 0, 2);
  let seen = -1;
  let still = 0;
  const timer = setInterval(() => {
    const ticks = Atomics.load(counters, TICKS);
    still = ticks === seen ? still + 1 : 0;
    seen = ticks;
    if (still < STUCK_TICKS) return;
    clearInterval(timer);
    endProcess(Buffer.from(shared, NAME_AT).toString('latin1', 0, Atomics.load(counters, NAME_LENGTH)));
  }, TICK_MS);
}

/**
 * The inspector interrupts JavaScript that never ends: it tells where that is, and exits even as process 1 of a container,
 * which no signal from within can kill. SIGKILL ends a loop that hangs in native code.
 */
function endProcess(conversation: string): void {
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
function tell(conversation: string, stack?: unknown): void {
  const about = { ...(conversation && { conversation }), ...(typeof stack === 'string' && { stack }) };
  const line = { level: 50, time: Date.now(), ...about, alarm: STUCK, msg: `Alarm: ${STUCK}` };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads the log fast enough. The process ends all the same.
  }
}

const given: unknown = workerData;
if (given instanceof SharedArrayBuffer) watch(given);
