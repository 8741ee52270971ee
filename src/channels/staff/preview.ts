import { z } from 'zod';
import type { Message } from '../../conversation/message.ts';
import type { Log } from '../../observe.ts';
import type { Incoming, Outgoing } from '../../turns/delivery.ts';
import type { ChannelParts, Previewed } from '../channel.ts';
import type { StaffReply } from './answer.ts';
import type { StaffRequest } from './request.ts';

/*
 * Staff who imitate a channel and look into the turn see what is on the wire of its platform, too. The channel that
 * they imitate travels in their conversation's address, so any process can show it, also for what the bot says unasked.
 */

const addressSchema = z.object({ imitates: z.string() });
const pressSchema = z.object({ view: z.string().exactOptional() }).optional().catch(undefined);

/** Where replies to a request go; of a press, what a preview needs. */
export function addressOf(
  { as, trace }: StaffRequest,
  message: Message,
): Pick<Incoming, 'address' | 'press'> {
  if (!trace) return { address: null };
  const address = { imitates: as };
  if (message.kind !== 'choice') return { address };
  return { address, press: message.view === undefined ? {} : { view: message.view } };
}

/** `update`: what would have brought the message, with the turn's last reply; `calls`: what would bring the reply. */
type Wire = Pick<StaffReply, 'calls' | 'update'>;

/** Nothing where nobody looks, or there is nothing to see. Never throws: it must not hold up a reply. */
export async function wireOf(
  outgoing: Outgoing,
  preview: ChannelParts['preview'],
  log: Pick<Log, 'error'>,
): Promise<Wire> {
  const imitated = addressSchema.safeParse(outgoing.address).data?.imitates;
  if (imitated === undefined) return {};
  try {
    const platform = await preview(imitated);
    if (!platform) return {};
    const { message, sender } = outgoing.trace ?? {};
    return {
      update: message && sender ? platform.incoming(message, sender) : undefined,
      calls: await platform.outgoing(previewed(outgoing)),
    };
  } catch (err) {
    log.error({ err, channel: imitated }, 'a preview threw');
    return {};
  }
}

function previewed(outgoing: Outgoing): Previewed {
  const {
    address: _address,
    trace: _trace,
    channel: _channel,
    conversation: _name,
    press,
    ...rest
  } = outgoing;
  return { ...rest, pressed: pressSchema.parse(press) };
}
