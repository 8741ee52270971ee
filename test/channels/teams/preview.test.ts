import { expect, it } from 'vitest';
import { parseActivity } from '../../../src/channels/teams/activity.ts';
import { fromInstall, fromMessage } from '../../../src/channels/teams/incoming.ts';
import { createPreview } from '../../../src/channels/teams/preview.ts';
import type { Message, Sender } from '../../../src/conversation/message.ts';
import { createWords } from '../../../src/i18n.ts';

const preview = createPreview({ words: createWords({ timeZone: 'Asia/Ho_Chi_Minh' }) });
const sender: Sender = { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho' };
const ANSWER = { locale: 'vi', first: true, last: true, state: {}, atMs: 0 } as const;
const NEXT = { id: 'next', label: { key: 'choice.next' } };

it.each<Message>([
  { kind: 'text', text: 'tích điểm' },
  { kind: 'start' },
  { kind: 'choice', choice: 'next', view: 'v3k' },
  { kind: 'form', view: 'v3k', code: 'TIVI000000017', phone: '0867123456', email: '' },
])('shows an activity that brings the very message: %j', (message) => {
  const activity = parseActivity(preview.incoming(message, sender));
  const read = message.kind === 'start' ? fromInstall : fromMessage;
  expect(activity && read(activity)).toMatchObject({ message, sender });
});

it('shows no activity for what nobody can send there', () => {
  expect(preview.incoming({ kind: 'contact', phone: '0867123456', own: true }, sender)).toBeUndefined();
});

it('shows the activity that the connector would get, with its card', async () => {
  const reply = { key: 'menu', choices: [NEXT], view: 'v3k' };
  expect(await preview.outgoing({ ...ANSWER, reply })).toEqual([
    {
      call: 'POST v3/conversations/conversation/activities',
      body: expect.objectContaining({
        attachments: [
          expect.objectContaining({
            contentType: 'application/vnd.microsoft.card.adaptive',
            content: expect.objectContaining({ type: 'AdaptiveCard' }),
          }),
        ],
      }),
    },
  ]);
});

it('shows a page that is turned as an edit of its card', async () => {
  const reply = { key: 'menu', choices: [NEXT], view: 'v4', inPlace: true as const };
  const calls = await preview.outgoing({ ...ANSWER, reply, pressed: { view: 'v3k' } });
  expect(calls.map(({ call }) => call)).toEqual(['PUT v3/conversations/conversation/activities/card']);
});
