import { z } from 'zod';

/**
 * The parts of a Bot Framework activity that the bot uses, read tolerantly: whatever has not the expected shape counts
 * as absent, so that an activity we cannot read is answered instead of refused.
 */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const accountSchema = z.object({
  id: z.string(),
  name: maybe(z.string()),
  aadObjectId: maybe(z.string()),
});

const entitySchema = z.object({
  type: maybe(z.string()),
  /** Of a mention: how it stands in the text, `<at>Name</at>`. */
  text: maybe(z.string()),
  mentioned: maybe(accountSchema),
});

const activitySchema = z.object({
  type: z.string(),
  id: maybe(z.string()),
  name: maybe(z.string()),
  channelId: maybe(z.string()),
  serviceUrl: maybe(z.string()),
  locale: maybe(z.string()),
  text: maybe(z.string()),
  value: z.unknown().optional(),
  replyToId: maybe(z.string()),
  from: maybe(accountSchema),
  /** The bot. */
  recipient: maybe(accountSchema),
  conversation: maybe(
    z.object({ id: z.string(), conversationType: maybe(z.string()), tenantId: maybe(z.string()) }),
  ),
  channelData: maybe(z.object({ tenant: maybe(z.object({ id: z.string() })) })),
  entities: maybe(z.array(entitySchema)),
  attachments: maybe(z.array(z.object({ contentType: maybe(z.string()) }))),
  membersAdded: maybe(z.array(accountSchema)),
  /** Of an `installationUpdate`: `add` or `remove`. */
  action: maybe(z.string()),
});
export type Activity = z.infer<typeof activitySchema>;

/** Null: no activity at all, because it has no `type`. */
export function parseActivity(body: unknown): Activity | null {
  return activitySchema.safeParse(body).data ?? null;
}
