import type { Line, Timing } from './telegram.ts';

/** A dialogue that asks nothing of AntCRM, over and over: what a customer says, and in how many messages the bot answers. */
const DIALOGUE = [
  { text: 'trợ giúp', messages: 1 },
  { text: 'tích điểm', messages: 1 },
  { text: 'TIVI000000017', messages: 1 },
  { text: '0912345678', messages: 1 },
  { text: 'bỏ qua', messages: 1 },
  { text: 'huỷ', messages: 1 },
] as const;

/** Many more than are in flight: nobody writes again while the turn before is being put away. */
export const CUSTOMERS = 1000;

export type Load = { run(bounds: Bounds): Promise<Run> };
export type Bounds = { readonly inFlight: number; readonly turns: number; readonly seconds: number };
export type Run = { readonly seconds: number; readonly timings: readonly Timing[] };

/** Customers of one bot, who take turns: whoever has waited longest for an idea asks next. */
export function createLoad(line: Line): Load {
  const idle = Array.from({ length: CUSTOMERS }, (_, index) => ({ chat: 1_000_000 + index, said: 0 }));

  async function ask(): Promise<Timing> {
    const customer = idle.shift();
    const saying = customer && DIALOGUE[customer.said++ % DIALOGUE.length];
    if (!saying) throw new Error('more are in flight than there are customers');
    const timing = await line.ask(customer.chat, saying.text, saying.messages);
    idle.push(customer);
    return timing;
  }

  return {
    async run({ inFlight, turns, seconds }) {
      const timings: Timing[] = [];
      const startMs = performance.now();
      let left = turns;
      async function talk(): Promise<void> {
        while (left-- > 0 && performance.now() - startMs < seconds * 1000) timings.push(await ask());
      }
      await Promise.all(Array.from({ length: inFlight }, talk));
      return { seconds: (performance.now() - startMs) / 1000, timings };
    },
  };
}
