import { z } from 'zod';
import { type Customer, channelContract, type Failure } from '../../contract/channel.ts';
import { PERSON, pressActivity, textActivity, USER } from '../../support/teams-activities.ts';
import type { Fault } from '../../support/teams-double.ts';
import { CHAT, createBot, elements } from './harness.ts';

/** A form's own button has none. */
const dataSchema = z.object({ choice: z.string().default('') });

const FAULTS: Readonly<Record<Failure, Fault>> = {
  throttled: { status: 429, retryAfter: 1 },
  undelivered: { status: 302 },
  uncertain: 'reset',
  unauthorized: { status: 401 },
  unreachable: { status: 403, code: 'ConversationBlockedByUser' },
  rejected: { status: 400 },
};

channelContract({
  name: 'Teams',
  abilities: ['buttons', 'edit', 'picture', 'media', 'typing', 'proof', 'platform', 'strangers'],
  create: async ({ accept, words, observe }) => {
    const { channel, double } = await createBot({ accept, words, observe });
    double.members.set(USER, { email: 'garnacho@gmail.com', aadObjectId: PERSON });

    function listening(url: string): Customer {
      async function send(activity: ReturnType<typeof textActivity>): Promise<void> {
        const { status, body } = await double.post(activity, { url: `${url}/webhooks/teams`, appId: 'x' });
        if (status !== 200) throw new Error(`${status}: ${body}`);
      }
      return {
        text: (text, id) => send(textActivity(text, id === undefined ? {} : { id })),
        photo() {
          const contentUrl = double.keep('code', Buffer.from('a picture'));
          return send(textActivity('', { attachments: [{ contentType: 'image/*', contentUrl }] }));
        },
        unreadable: () => send(textActivity('', { attachments: [{ contentType: 'video/mp4' }] })),
        buttons: () =>
          double.shown(CHAT).flatMap((card) =>
            elements(card, 'Action.Submit').map(({ data }) => ({
              data: dataSchema.parse(data).choice,
              press: () => send(pressActivity(card.id, data)),
            })),
          ),
        sees: (text) => JSON.stringify(double.shown(CHAT)).includes(JSON.stringify(text).slice(1, -1)),
        shown: () =>
          double.shown(CHAT).map((card) => {
            const runs = elements(card, 'TextRun').map(({ text }) => text);
            return runs.length > 0 ? runs.join('\n') : String(card.text);
          }),
        async stranger() {
          // Without authentication, everybody who is not on this machine is one.
          const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.7' };
          const body = JSON.stringify(textActivity('x'));
          return (await fetch(`${url}/webhooks/teams`, { method: 'POST', headers, body })).status;
        },
      };
    }
    return { channel, listening, fail: (how) => double.script(FAULTS[how]) };
  },
});
