import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { EventSource } from 'undici';
import { z } from 'zod';

const eventSchema = z.object({
  seq: z.int(),
  text: z.string(),
  choices: z.array(z.object({ typed: z.string(), data: z.string() })),
  turn: z.string().optional(),
  last: z.boolean(),
});
type Shown = z.infer<typeof eventSchema>;

export type WebMember = ReturnType<typeof openPage>;

/** A member of the site before the page, in a language of their browser. */
export function openPage(url: string, language: string) {
  const shown: Shown[] = [];
  const news = new EventTarget();
  const source = new EventSource(`${url}/chat/events`);
  source.addEventListener('message', ({ data }) => {
    shown.push(eventSchema.parse(JSON.parse(String(data))));
    news.dispatchEvent(new Event('news'));
  });
  const ofTurn = (id: string) => shown.filter(({ turn }) => turn === id);
  return {
    /** Everything shown so far. */
    shown,
    /** Sends what the page would; resolves to the replies, once the last one is shown. */
    async send(message: Readonly<Record<string, unknown>>): Promise<readonly Shown[]> {
      const { id = randomUUID(), ...content } = message;
      const response = await fetch(`${url}/chat/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-language': language },
        body: JSON.stringify({ id, ...content }),
      });
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
      while (!ofTurn(String(id)).some(({ last }) => last)) await once(news, 'news');
      return ofTurn(String(id));
    },
    close: () => source.close(),
  };
}
