/** What `work` returns and the CPU time that it took, ms: unlike the wall clock's, not the other tests' too. */
export function onCpu<T>(work: () => T): { result: T; cpuMs: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1000 };
}

/** More than the slowest text of 1000 characters takes on a busy machine, far less than a backtracking pattern would. */
export const AT_ONCE_MS = 250;
