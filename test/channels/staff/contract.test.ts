import { createClient } from '../../../src/channels/staff/client.ts';
import type { StaffReply } from '../../../src/channels/staff/schemas.ts';
import { STAFF } from '../../../src/channels/staff/schemas.ts';
import { StaffChannel } from '../../../src/channels/staff/staff.ts';
import { type Customer, channelContract } from '../../contract/channel.ts';

channelContract('the staff webhook', async (parts) => {
  const rest = { channels: [STAFF], guard: { api: async () => {} }, audited: false };
  const channel = new StaffChannel({ ...parts, ...rest });
  const seen: StaffReply[] = [];

  function listening(url: string): Customer {
    const client = createClient(url);
    async function send(message: Omit<Parameters<typeof client.send>[0], 'conversation'>): Promise<void> {
      const answer = await client.send({ conversation: 'qa', locale: 'vi', ...message });
      if (answer.status === 'refused') throw new Error(JSON.stringify(answer.problem));
      seen.push(...answer.replies);
    }
    return {
      text: (text, id) => send({ text, ...(id !== undefined && { id }) }),
      photo: () => send({ photo: Buffer.from('x').toString('base64') }),
      buttons: () =>
        seen.flatMap(({ choices = [], view }) =>
          choices.map(({ id }) => ({
            data: `${id}~${view}`,
            press: () => send({ choice: `${id}~${view}` }),
          })),
        ),
      prove: () => send({ text: '0867123456' }),
      sees: (text) => seen.some((reply) => reply.text.includes(text)),
    };
  }
  return { channel, isStaff: true, listening };
});
