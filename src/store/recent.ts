/** What was needed a moment ago and will probably be needed again; never the only copy of anything. */
export type Recent<Value> = {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
};

/**
 * Keeps at most `2 * most` values, each for `forMs` at least and twice that at most, unless more are set meanwhile: then
 * those set first go first. There are two generations, and the older one is dropped as a whole: so using a value writes
 * nothing, and one timer is enough, which ends with the last value.
 */
export function createRecent<Value>(most: number, forMs: number): Recent<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  let timer: NodeJS.Timeout | undefined;

  function grow(): void {
    clearTimeout(timer);
    old = young;
    young = new Map();
    timer = old.size > 0 ? setTimeout(grow, forMs).unref() : undefined;
  }

  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      if (young.size >= most && !young.has(key)) grow();
      young.set(key, value);
      timer ??= setTimeout(grow, forMs).unref();
    },
  };
}
