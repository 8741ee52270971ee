import { documentation } from './variables.ts';

/** What begins so is meant for us. */
const OURS = /^(TELEGRAM|ANTCRM|REDIS|STAFF|TEAMS|MICROSOFT_APP|TRUST)_/;

/** What Kubernetes and Docker set for a service that is called `redis`. */
const OF_SERVICES = /_SERVICE_(HOST|PORT)|_PORT(_\d+_|$)/;

/** One warning for each variable that looks like ours and is none, naming the one that was probably meant. */
export function misspelt(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = documentation.map(({ name }) => name);
  const unknown = Object.keys(env).filter(
    (name) => OURS.test(name) && !OF_SERVICES.test(name) && !known.includes(name),
  );
  return unknown.map(
    (name) => `${name} is no variable of the bot and does nothing: ${nearest(name, known)} is`,
  );
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const [first] = known.map((one) => ({ one, far: distance(name, one) })).toSorted((a, b) => a.far - b.far);
  return first?.one;
}

/** How many characters must be put in or left out. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...from].entries()) {
    let left = row + 1;
    above = above.map((up, at) => {
      if (at === 0) return left;
      const changed = (above[at - 1] ?? 0) + (letter === to[at - 1] ? 0 : 2);
      left = Math.min(changed, up + 1, left + 1);
      return left;
    });
  }
  return above.at(-1) ?? 0;
}
