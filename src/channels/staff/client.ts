import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { z } from 'zod';
import { problemSchema } from '../../http/problem.ts';
import {
  answerSchema,
  eventSchema,
  type RequestSchema,
  type StaffAnswer,
  type StaffEvent,
} from './schemas.ts';

/** A client of the staff webhook, for `npm run chat` and for tests. */
export type StaffClient = {
  /** Rejects if the bot is out of reach, or its answer is not of the promised shape. */
  send(request: z.input<RequestSchema>): Promise<StaffAnswer | Refusal>;
  /** Yields every event after `afterSeq`, until the stream is cut or `signal` aborts it. */
  events(conversation: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<StaffEvent>;
};

/** An answer with a problem document instead of replies. */
export type Refusal = { readonly status: 'refused'; readonly problem: z.infer<typeof problemSchema> };

/** A client of the bot at `url`, with the token of staff if it needs one. */
export function createClient(url: string, token?: string): StaffClient {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const base = `${url.replace(/\/$/, '')}/webhooks/staff`;

  return {
    async send(request) {
      const headers = { ...authorization, 'content-type': 'application/json' };
      const response = await fetch(base, { method: 'POST', headers, body: JSON.stringify(request) });
      const body: unknown = await response.json();
      return response.ok
        ? answerSchema.parse(body)
        : { status: 'refused', problem: problemSchema.parse(body) };
    },

    async *events(conversation, afterSeq, signal) {
      const headers = { ...authorization, 'last-event-id': String(afterSeq) };
      const response = await fetch(`${base}/${conversation}/events`, { headers, signal });
      if (!response.ok || !response.body) throw new Error(`The event stream answered ${response.status}`);
      const events = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const { data } of events) yield eventSchema.parse(JSON.parse(data));
    },
  };
}
