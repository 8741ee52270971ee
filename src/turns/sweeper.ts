/**
 * Sweeps every `everyMs`, one sweep at a time, until it is stopped. `sweep` must not reject. The timer keeps no process
 * alive.
 */
export function createSweeper(sweep: () => Promise<void>, everyMs: number) {
  let timer: NodeJS.Timeout | undefined;
  let running = false;

  function arm(): void {
    timer = setTimeout(async () => {
      await sweep();
      if (running) arm();
    }, everyMs).unref();
  }

  return {
    start() {
      running = true;
      arm();
    },
    stop() {
      running = false;
      clearTimeout(timer);
    },
  };
}
