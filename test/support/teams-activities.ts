/** Activities as Teams sends them, for tests; `more` overrides. */
export type TeamsActivity = Readonly<Record<string, unknown>> & { readonly type: string };

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const PERSON = 'c5f8a3d2-0000-4000-8000-0123456789ab';
export const USER = '29:1garnacho';
export const BOT = '28:bot';

let ids = 0;

export function activity(type: string, more: Readonly<Record<string, unknown>> = {}): TeamsActivity {
  return {
    type,
    id: `m${++ids}`,
    timestamp: '2026-11-25T08:47:00.000Z',
    channelId: 'msteams',
    locale: 'vi-VN',
    from: { id: USER, name: 'Garnacho', aadObjectId: PERSON },
    recipient: { id: BOT, name: 'Loyalty' },
    conversation: { id: 'a:personal', conversationType: 'personal', tenantId: TENANT },
    channelData: { tenant: { id: TENANT } },
    ...more,
  };
}

export function textActivity(text: string, more: Readonly<Record<string, unknown>> = {}): TeamsActivity {
  return activity('message', { text, textFormat: 'plain', ...more });
}

/** A press of a card's button: `data` comes back as it was sent. */
export function pressActivity(
  card: string,
  data: unknown,
  more: Readonly<Record<string, unknown>> = {},
): TeamsActivity {
  return activity('message', { value: data, replyToId: card, ...more });
}
