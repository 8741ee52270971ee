/** A picture that failed is not tried again for this long. */
const AVOID_MS = 10 * 60_000;
/** More pictures than a list of gifts has. */
const MOST = 200;

/**
 * The URLs of pictures that Telegram could not fetch, or not in time. For a while their replies go as text at once, so that
 * a shop's server that is out of order costs customers no time. In memory: another process finds out by itself.
 */
export type Pictures = {
  readonly avoids: (url: string) => boolean;
  readonly failed: (url: string) => void;
};

export function createPictures(nowMs: () => number = () => performance.now()): Pictures {
  const until = new Map<string, number>();
  return {
    avoids: (url) => (until.get(url) ?? 0) > nowMs(),
    failed(url) {
      const [oldest] = until.keys();
      if (until.size >= MOST && oldest !== undefined) until.delete(oldest);
      until.set(url, nowMs() + AVOID_MS);
    },
  };
}
