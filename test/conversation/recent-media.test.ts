import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { Dialogue, SETTINGS, TELEGRAM } from '../support/dialogue.ts';

const pictureOf = (at: string, caption?: string): Message => ({
  kind: 'photo',
  pictures: [{ kind: 'noCode' }],
  ...(caption !== undefined && { caption }),
  media: [{ kind: 'picture', at }],
});
const VOICE: Message = { kind: 'unknown', what: 'voice', media: [{ kind: 'voice', at: 'v' }] };
const start = (handover = true) => new Dialogue(TELEGRAM, { ...SETTINGS, handover });
const ticketOf = ({ state }: Dialogue) => state.tickets?.at(-1);

describe('Pictures and files that were sent before a ticket', () => {
  it('are its first messages, and later ones continue their numbers', () => {
    const shop = start().send(pictureOf('p1', 'tem mờ quá')).send(VOICE).text('gặp nhân viên');
    expect(shop.keys).toEqual(['person.waiting']);
    expect(shop.state.recentMedia).toBeUndefined();
    shop.send(pictureOf('p2'));
    expect(ticketOf(shop)).toMatchObject({
      notes: [
        { text: '📷 tem mờ quá', media: [{ kind: 'picture', at: 'p1', n: 1 }] },
        { text: '🎤', media: [{ kind: 'voice', at: 'v', n: 2 }] },
        { text: '📷', media: [{ kind: 'picture', at: 'p2', n: 3 }] },
      ],
      count: { customer: 1, media: 3 },
    });
  });

  it('are the last three, for half an hour, and none without staff or after /forget', () => {
    const shop = start();
    for (const at of ['p1', 'p2', 'p3', 'p4']) shop.send(pictureOf(at));
    expect(shop.state.recentMedia).toMatchObject([{ text: '📷' }, { text: '📷' }, { text: '📷' }]);
    expect(shop.text('/forget').state.recentMedia).toBeUndefined();
    shop
      .send(pictureOf('p5'))
      .later(31 * 60_000)
      .wake();
    expect(shop.state.recentMedia).toBeUndefined();
    expect(start(false).send(pictureOf('p1')).state.recentMedia).toBeUndefined();
  });

  it('join a ticket that the bot opened by itself once the customer asks for a person', () => {
    const shop = start();
    const ticket = { id: 'T1', reason: 'escalated' as const, openedMs: 0, notes: [] };
    shop.state = { ...shop.state, tickets: [{ ...ticket, count: { customer: 0, staff: 0 } }] };
    shop.send(pictureOf('p1')).text('gặp nhân viên');
    expect(ticketOf(shop)).toMatchObject({ id: 'T1', notes: [{ media: [{ at: 'p1', n: 1 }] }] });
  });
});
