import { z } from 'zod';
import { type Customer, channelContract } from '../../contract/channel.ts';
import { PERSON, pressActivity, textActivity, USER } from '../../support/teams-activities.ts';
import { CHAT, createBot, elements } from './harness.ts';

/** A form's own button has none. */
const dataSchema = z.object({ choice: z.string().default('') });

channelContract('Teams', async ({ accept, words, observe }) => {
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
    };
  }
  return { channel, listening };
});
