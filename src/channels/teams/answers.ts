import { z } from 'zod';
import type { Delivery } from '../../engine/messages.ts';
import type { Exchange } from '../../http/transport.ts';
import { failureOf, meaningOf, type PlatformAnswer, parseJson } from '../platforms.ts';

/** An answer of the connector. `content`: outside data. */
export type ConnectorAnswer = { readonly meaning: Delivery; readonly content?: Buffer };

/** Null: we got no token, and nothing was sent. */
export function readAnswer(exchange: Exchange | null): ConnectorAnswer {
  if (exchange === null) return { meaning: { kind: 'unauthorized' } };
  if (exchange.kind !== 'answered') return { meaning: failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  return { meaning: meaningOf({ status, afterMs, says: whoRefuses(status, content) }), content };
}

/** The connector's code says who refuses: the customer or the service. */
function whoRefuses(status: number, content: Buffer): PlatformAnswer['says'] {
  if (status === 404) return 'unreachable';
  if (status !== 403) return undefined;
  const isGone = goneSchema.safeParse(parseJson(content.toString())).success;
  return isGone ? 'unreachable' : 'unauthorized';
}

/**
 * The codes of 403 if a customer or their administrator removed the bot (msteams-docs, "Status codes from bot
 * conversational APIs").
 */
const GONE = [
  'MessageWritesBlocked',
  'ConversationBlockedByUser',
  'BotNotInConversationRoster',
  'BotDisabledByAdmin',
  'ForbiddenOperationException',
] as const;
const goneSchema = z.object({ error: z.object({ code: z.enum(GONE) }) });
