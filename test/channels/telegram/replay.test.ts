import { expect, it } from 'vitest';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { readSamples, recordedSchema } from '../../support/samples.ts';
import { createBot, SECRET } from './harness.ts';

const recorded = readSamples('replay/telegram.jsonl', recordedSchema);

it.each(recorded)('$name is answered with 200 and read as what it is', async ({ says, sent }) => {
  const { app, accepted } = await createBot();
  const response = await app.inject({
    method: 'POST',
    url: '/webhooks/telegram',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
    payload: JSON.stringify(sent),
  });
  expect(response.statusCode).toBe(200);
  const read = accepted.map((incoming) => incomingSchema.parse(incoming).message);
  const kinds = read.map((message) =>
    message.kind === 'unknown' ? `unknown ${message.what}` : message.kind,
  );
  expect(kinds).toEqual(says === null ? [] : [says]);
});
