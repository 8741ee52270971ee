import { z } from 'zod';
import { ASKS } from '../../conversation/reply.ts';
import { traceSchema } from '../../turns/trace.ts';

const choiceSchema = z.object({ id: z.string(), label: z.string() });

/** A form's field; `reason` is the wording why `value` was refused. */
const fieldSchema = z.object({
  slot: z.enum(['code', 'phone', 'email']),
  required: z.boolean(),
  value: z.string().optional(),
  reason: z.string().optional(),
});

const replySchema = z.object({
  seq: z.int().describe("The reply's number in its conversation, the same in the events."),
  key: z.string().describe('Names the wording in `locales/*.json`. Go by it, never by the text.'),
  text: z.string(),
  choices: z.array(choiceSchema).optional(),
  asks: z.enum(ASKS).optional(),
  view: z.string().optional().describe("The question's id: buttons of an older one change nothing."),
  form: z.array(fieldSchema).optional().describe('All slots that are missing.'),
  sharePhone: z.literal(true).optional().describe('A channel with a contact button shows it here.'),
  inPlace: z.literal(true).optional().describe('Replaces the message whose button was pressed.'),
  notice: z.literal(true).optional().describe('A short remark on a press.'),
  image: z.string().optional().describe('The https URL of a picture of what the reply is about.'),
});
export type StaffReply = z.infer<typeof replySchema>;

const stateSchema = z.object({ flow: z.string().optional(), asks: z.string().optional() });

/** A look into the turn; a process of another version may have written another shape. */
const shownTrace = traceSchema.optional().catch(undefined);

/** What the feed keeps and the event stream sends: a reply, and where it stands. */
export const eventSchema = replySchema.extend({
  turn: z.string().optional().describe('The id of the message it answers; absent where nobody asked.'),
  last: z.boolean().describe("The turn's last reply."),
  state: stateSchema,
  trace: shownTrace.describe('With the last reply: a look into the turn. For people, not for programs.'),
});
export type StaffEvent = z.infer<typeof eventSchema>;

export const answerSchema = z
  .object({
    conversation: z.string(),
    status: z
      .enum(['done', 'queued', 'duplicate'])
      .describe(
        '`queued`: not finished in time, the replies come as events. `duplicate`: `id` was seen before.',
      ),
    replies: z.array(replySchema),
    state: stateSchema.optional().describe('After the last reply known; absent where there was none yet.'),
    trace: shownTrace.describe(
      'A look into the turn, where `trace` asked for it. For people: its shape may change.',
    ),
  })
  .meta({
    examples: [
      {
        conversation: 'qa-42',
        status: 'done',
        replies: [
          {
            seq: 7,
            key: 'accumulate.askPhone',
            text: 'Bạn cho mình số điện thoại để cộng điểm nhé.',
            choices: [{ id: 'cancel', label: 'Huỷ' }],
            asks: 'phone',
          },
        ],
        state: { flow: 'accumulate', asks: 'phone' },
      },
    ],
  });
export type StaffAnswer = z.infer<typeof answerSchema>;
