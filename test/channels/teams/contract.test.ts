import { type Customer, channelContract } from '../../contract/channel.ts';
import { PERSON, pressActivity, textActivity, USER } from '../../support/teams-activities.ts';
import { buttonOf, wordsOf } from './elements.ts';
import { CHAT, createBot } from './harness.ts';

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
      button(choice) {
        const { card, data } = buttonOf(double.shown(CHAT), new RegExp(`"choice":"${choice}[:~]`));
        return () => send(pressActivity(card, data));
      },
      sees: (text) => double.shown(CHAT).some((one) => wordsOf(one).includes(text)),
    };
  }
  return { channel, listening };
});
