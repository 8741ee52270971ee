import { atMostEvery, type Observe } from '../../observe.ts';

const EVERY_MS = 60_000;

/** The alarm that a platform refuses the bot's token, to be called at each refusal: raised once a minute at most. */
export function tokenAlarm(channel: string, observe: Pick<Observe, 'alarm'>): () => void {
  return atMostEvery(EVERY_MS, () => observe.alarm('channel_token_refused', { channel }));
}
