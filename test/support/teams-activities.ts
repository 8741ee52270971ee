type Parts = Readonly<Record<string, unknown>>;

export type TeamsActivity = Parts & { readonly type: string };

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const PERSON = 'c5f8a3d2-0000-4000-8000-0123456789ab';
export const USER = '29:1garnacho';
export const BOT = '28:bot';

let ids = 0;

export const activity = (type: string, more: Parts = {}): TeamsActivity => ({
  type,
  id: `m${++ids}`,
  timestamp: '2026-11-25T08:47:00.000Z',
  channelId: 'msteams',
  locale: 'vi-VN',
  from: { id: USER, name: 'Garnacho', aadObjectId: PERSON },
  recipient: { id: BOT, name: 'Loyalty' },
  conversation: { id: 'a:personal', conversationType: 'personal', tenantId: TENANT },
  ...more,
});

export const textActivity = (text: string, more: Parts = {}): TeamsActivity =>
  activity('message', { text, textFormat: 'plain', ...more });

/** A press of a card's button: `data` comes back as it was sent. */
export const pressActivity = (card: string, data: unknown, more: Parts = {}): TeamsActivity =>
  activity('message', { value: data, replyToId: card, ...more });
