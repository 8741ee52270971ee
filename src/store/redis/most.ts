/**
 * Waits until all have ended, or for `graceMs` after the first success: so a caller that asks several nodes does not wait
 * for one that hangs, but waits for all of them where all are slow. What had not ended by then is null.
 */
export function mostOf<T>(
  asked: readonly Promise<T>[],
  graceMs: number,
): Promise<(PromiseSettledResult<T> | null)[]> {
  const answers = asked.map((): PromiseSettledResult<T> | null => null);
  let open = asked.length;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      resolve([...answers]);
    };
    if (open === 0) end();
    const note = (index: number, answer: PromiseSettledResult<T>): void => {
      answers[index] = answer;
      open -= 1;
      if (open === 0) end();
      else if (answer.status === 'fulfilled') timer ??= setTimeout(end, graceMs);
    };
    for (const [index, one] of asked.entries()) {
      one.then(
        (value) => note(index, { status: 'fulfilled', value }),
        (reason: unknown) => note(index, { status: 'rejected', reason }),
      );
    }
  });
}

/** What those of them got that were answered. */
export function valuesOf<T>(answers: readonly (PromiseSettledResult<T> | null)[]): T[] {
  return answers.flatMap((answer) => (answer?.status === 'fulfilled' ? [answer.value] : []));
}
