import { z } from 'zod';
import type { Answer } from './client.ts';

/** Of the webhook's state, what an operator needs; never more, so that no new field can carry a secret. */
const webhookSchema = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  max_connections: z.int().optional(),
  allowed_updates: z.array(z.string()).optional(),
  last_error_date: z.int().optional(),
  last_error_message: z.string().optional(),
});
export type WebhookInfo = z.infer<typeof webhookSchema>;

/** The answer of `getWebhookInfo`; undefined where there is none, or none that can be read. */
export function readWebhook(answer: Answer): WebhookInfo | undefined {
  return answer.ok ? webhookSchema.safeParse(answer.result).data : undefined;
}
