import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { buttonOf, wordsOf } from '../channels/teams/elements.ts';
import { activity, TENANT, type TeamsActivity } from './teams-activities.ts';
import type { Posted, TeamsDouble } from './teams-double.ts';

let made = 0;

/** A customer on Teams: the service sends each activity again until the bot takes it. */
export function createTeamsCustomer(double: TeamsDouble, { url, appId }: { url: string; appId: string }) {
  made += 1;
  const chat = `a:chat-${made}`;
  const from = { id: `29:${made}`, name: 'Garnacho', aadObjectId: randomUUID() };
  double.members.set(from.id, { aadObjectId: from.aadObjectId, email: `t${made}@example.vn` });
  const conversation = { id: chat, conversationType: 'personal', tenantId: TENANT };

  async function sends(type: string, more: Readonly<Record<string, unknown>>): Promise<void> {
    const id = `${chat}:${randomUUID()}`;
    const sent: TeamsActivity = activity(type, {
      id,
      from,
      conversation,
      locale: 'en-US',
      serviceUrl: double.serviceUrl,
      ...more,
    });
    for (;;) {
      const target = { url: `${url}/webhooks/teams`, appId };
      const posted = await double.post(sent, target).catch((): Posted | null => null);
      if (posted?.status === 200) return;
      if (posted && posted.status !== 503) throw new Error(`the webhook answered ${posted.status}`);
      await delay(50);
    }
  }

  return {
    chat,
    /** What the chat shows, oldest first: the words of each message. */
    said: (): readonly string[] => double.shown(chat).map(wordsOf),
    writes: (text: string) => sends('message', { text }),
    /** Presses the last button whose choice begins so. */
    async presses(choice: string) {
      const pressed = buttonOf(double.shown(chat), new RegExp(`"choice":"${choice}`));
      await sends('message', { value: pressed.data, replyToId: pressed.card });
    },
  };
}
