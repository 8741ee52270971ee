import type { Gifts } from '../../src/counter/gifts.ts';
import type { Chat } from './checks.ts';
import type { World } from './world.ts';

/** A gift whose receipt a customer has: since when, and who of staff believe to have handed it over. */
type Shown = { readonly chat: Chat; readonly toldMs: number; readonly winners: Set<string> };

/** Staff at a counter, to whom customers show the codes of their receipts. */
export function createCounter(
  world: World,
  options: {
    gifts(): Pick<Gifts, 'handOver'> | undefined;
    /** Whether the store lost what it wrote about this chat after that time. */
    isLost(chat: Chat, sinceMs: number): boolean;
  },
) {
  const { breach, chance, clock, count, insist, occurs, trace } = world;
  const shown = new Map<string, Shown>();

  async function handOver(code: string, by: string): Promise<void> {
    const { result, record } = await insist(options.gifts, (gifts) => gifts.handOver(code, by));
    trace(`${by} hands gift ${code} over: ${result}`);
    if (result === 'handedOver') count('gifts handed over');
    // An answer that was lost, and asked for again.
    if (result === 'handedOver' || record?.handedOver?.by === by) shown.get(code)?.winners.add(by);
  }

  return {
    /** The customer has the receipt, and goes to the counter, perhaps to two people at once. */
    serve(chat: Chat, code: string): void {
      if (shown.has(code)) return;
      shown.set(code, { chat, toldMs: clock.atMs, winners: new Set() });
      const people = occurs(0.4, 'gifts with two of staff') ? ['staff 1', 'staff 2'] : ['staff 1'];
      const inMs = chance.between(1_000, 120_000);
      for (const by of people)
        clock.plan(inMs + chance.between(0, 50), () => void handOver(code, by).catch(world.onError));
    },
    /** `gifts`: what the store has at rest. */
    async check(gifts: Pick<Gifts, 'find'>): Promise<void> {
      for (const [code, { chat, toldMs, winners }] of shown) {
        if (options.isLost(chat, toldMs)) continue;
        const record = await gifts.find(code);
        if (record?.redemption?.status !== 'confirmed')
          breach('gifts are known', `${chat.id} has a receipt with ${code}: ${JSON.stringify(record)}`);
        const by = record?.handedOver?.by;
        if (winners.size > 1 || [...winners].some((winner) => winner !== by))
          breach('handed over once', `${code} by ${[...winners].join(', ')}; the record says ${by}`);
      }
    },
  };
}
