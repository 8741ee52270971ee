import { StoreUnavailable } from '../unavailable.ts';

/** How long a node of a cluster may take to answer one command. */
export const COMMAND_MS = 1000;
/** How long anything may take, whatever the client tries in between (redirections, a reconnect). */
export const CONFIRM_MS = 1800;

/**
 * The command's answer; `StoreUnavailable` for whatever else happens: no connection, no answer in time, a cluster
 * without this slot, a full memory. The reason is one line and holds neither arguments nor credentials, which the
 * client's own errors carry along.
 */
export function confirmed<T>(
  command: Promise<T>,
  withinMs: number = CONFIRM_MS,
  onEnd: () => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => fail(`no answer within ${withinMs} ms`);
    let timer: NodeJS.Timeout | undefined = setTimeout(late, withinMs);
    const end = (): void => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      onEnd();
    };
    const fail = (why: string): void => {
      end();
      reject(new StoreUnavailable(`redis: ${why}`));
    };
    command.then(
      (answer) => {
        end();
        resolve(answer);
      },
      (error) => fail(reason(error)),
    );
  });
}

/** An error's first line, cut. */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
