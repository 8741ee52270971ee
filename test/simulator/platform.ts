import type { Engine } from '../../src/engine/engine.ts';
import type { Delivery, Outgoing } from '../../src/engine/messages.ts';
import type { Update } from './checks.ts';
import type { World } from './world.ts';

/** How long a platform is out of order, and how long it asks to wait with a reply. */
const OUTAGE_MS = [10_000, 120_000] as const;
const WAIT_MS = [40_000, 90_000] as const;
/** So many updates may come again much later than the others that come twice. */
const RECENT = 12;

/** Platforms: they take replies, or fail, and deliver updates until they have a 2xx. */
export function createPlatforms(
  world: World,
  options: {
    /** The process that an update reaches, if one is there. */
    bot(): Pick<Engine, 'accept'> | undefined;
    hear(outgoing: Outgoing, seq: number): void;
  },
) {
  const { chance, clock, count, occurs, trace } = world;
  /** By channel, until when it is out of order. */
  const outages = new Map<string, number>();
  const recent: Update[] = [];
  /** By conversation and number, what is wrong with a reply, from its first try on. */
  const flaws = new Map<string, 'none' | 'rich' | 'always'>();

  function flawOf({ conversation }: Outgoing, seq: number) {
    const name = `${conversation} ${seq}`;
    const isDeadly = !flaws.has(name) && chance.happens(world.rates.deadly);
    const flaw = flaws.get(name) ?? (isDeadly ? chance.pick(['rich', 'rich', 'rich', 'always']) : 'none');
    flaws.set(name, flaw);
    return flaw;
  }

  /** What becomes of a reply before anybody hears it; undefined: it is delivered. */
  async function refuse({ channel }: Outgoing): Promise<Delivery | undefined> {
    const { throttled, silent, unconnected, waits } = world.rates;
    const isOut = (outages.get(channel) ?? 0) > clock.atMs;
    if (isOut && occurs(0.9, 'replies in an outage'))
      return chance.happens(0.2) ? { kind: 'throttled', afterMs: 500 } : { kind: 'undelivered' };
    if (occurs(unconnected, 'replies without a connection')) return { kind: 'undelivered' };
    if (occurs(throttled, 'replies throttled')) {
      const isLong = chance.happens(0.2);
      return { kind: 'throttled', afterMs: isLong ? chance.between(...WAIT_MS) : chance.between(100, 5_000) };
    }
    if (occurs(waits, 'replies told to wait'))
      return { kind: 'uncertain', afterMs: chance.between(...WAIT_MS) };
    if (!occurs(silent, 'replies without an answer')) return undefined;
    await clock.wait(5_000);
    return { kind: 'uncertain' };
  }

  /** Delivers an update until the bot has taken it, to whichever process is there. */
  function post(filed: Update): void {
    const isTaken = () => filed.takenMs !== undefined;
    const send = async (to: Pick<Engine, 'accept'>): Promise<void> => {
      const acceptance = await to.accept(filed.incoming, clock.wallMs() - (clock.atMs - filed.sentMs));
      trace(`a bot takes ${filed.incoming.id}: ${acceptance}`);
      world.countNamed(acceptance);
      if (acceptance === 'full' && !isTaken()) filed.isFull = true;
      filed.takenMs ??= clock.atMs;
    };
    void world.insist(options.bot, send, isTaken);
  }

  return {
    /** Customers hear what was delivered. */
    async deliver(outgoing: Outgoing, seq: number): Promise<Delivery> {
      const { failedLate } = world.rates;
      const refused = await refuse(outgoing);
      if (refused !== undefined) return refused;
      options.hear(outgoing, seq);
      return { kind: occurs(failedLate, 'replies delivered with a fault') ? 'uncertain' : 'delivered' };
    },
    isDeadly(outgoing: Outgoing, seq: number): boolean {
      const { choices, qr, image, asks } = outgoing.reply;
      const isPlain = [choices, qr, image, asks].every((part) => part === undefined);
      const flaw = flawOf(outgoing, seq);
      const isDeadly = flaw === 'always' || (flaw === 'rich' && !isPlain);
      if (isDeadly) count('replies that end processes');
      if (flaw === 'rich' && isPlain) count('replies sent as text alone');
      return isDeadly;
    },
    /** Some updates come twice. */
    send(filed: Update): void {
      post(filed);
      recent.push(filed);
      if (recent.length > RECENT) recent.shift();
      if (chance.happens(world.rates.doubled)) clock.plan(chance.between(0, 2_000), () => post(filed));
    },
    /** The last updates come again, as if the platform had not received the 2xx. */
    repeat: () => recent.forEach(post),
    breakDown(channel: string): void {
      count('outages of platforms');
      outages.set(channel, clock.atMs + chance.between(...OUTAGE_MS));
    },
  };
}
