import { z } from 'zod';
import { messageSchema, senderSchema } from '../conversation/message.ts';
import { stateSchema } from '../conversation/state.ts';

/**
 * A command that a turn waited for on its way to the reply. `take` is the one that brought the message: accept, claim or
 * release.
 */
const tripSchema = z.enum(['take', 'intend', 'lock', 'unlock', 'commit']);
export type Trip = z.infer<typeof tripSchema>;

/** An attempt to call AntCRM; `body` is what was sent, `reason` what AntCRM, or the connection, said against it. */
const callSchema = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  body: z.unknown().optional(),
  /** The HTTP status; absent where no answer came. */
  status: z.int().optional(),
  reason: z.string().optional(),
  /** What it means to us (`CallOutcome`, or `ok` and the reasons of a `Read`). */
  outcome: z.string(),
  ms: z.number(),
});
export type TracedCall = z.infer<typeof callSchema>;

/** What the customer's text says by itself, whatever question it answered (`conversation/language/reading.ts`). */
const understoodSchema = z.record(z.string(), z.string());

/**
 * One turn, seen from inside: for people who test the bot, so its shape may change with the code. Full of personal
 * data, so it is made only for the channels that ask for it (`tracing.ts`), and never stored with the conversation.
 */
export const traceSchema = z.object({
  /** Null: a wake-up, nobody wrote. */
  message: messageSchema.nullable(),
  sender: senderSchema.optional(),
  understood: understoodSchema.optional(),
  before: stateSchema,
  after: stateSchema,
  calls: z.array(callSchema),
  /** Round trips to the store before the reply left, in order. */
  trips: z.array(tripSchema),
  /** From reading the message to the commit. */
  ms: z.number(),
});
export type Trace = z.infer<typeof traceSchema>;
