import type { z } from 'zod';
import { problemSchema } from '../../http/problem.ts';
import type { RequestSchema } from './schemas.ts';
import { answerSchema, eventSchema, type StaffAnswer, type StaffEvent } from './schemas.ts';

/** The staff webhook from its other side: for `npm run chat` and for tests. */
export type StaffClient = {
  /** Rejects where the bot cannot be reached, or answers with anything but what it promises. */
  send(request: z.input<RequestSchema>): Promise<StaffAnswer | Refusal>;
  /** Every event after `afterSeq`, until the stream is cut (then it returns or rejects) or `signal` aborts it. */
  events(conversation: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<StaffEvent>;
};

export type Refusal = { readonly status: 'refused'; readonly problem: z.infer<typeof problemSchema> };

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
      for await (const data of dataOf(response.body)) yield eventSchema.parse(JSON.parse(data));
    },
  };
}

/** The data of each server-sent event; comments and other fields are passed over. */
async function* dataOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield data.slice('data: '.length);
    }
  }
}
