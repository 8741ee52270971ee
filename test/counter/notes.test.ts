import { describe, expect, it } from 'vitest';
import type { GiftNote } from '../../src/conversation/gift-note.ts';
import { Dialogue, lookupOf, SETTINGS, succeed, TELEGRAM } from '../support/dialogue.ts';

const DAY_MS = 24 * 60 * 60_000;

function startShop(settings: Partial<typeof SETTINGS> = { counter: true }): Dialogue {
  return new Dialogue(TELEGRAM, settings).text('xem điểm').shareOwnPhone();
}

/** The notes of the turn that confirms a redemption. */
function redeem(shop: Dialogue): readonly GiftNote[] {
  return shop.text('đổi quà DAUMAY01').press('confirm').last?.gifts ?? [];
}

const forgotten = (shop: Dialogue) =>
  shop.last?.gifts?.map((note) => (note.kind === 'forget' ? note.reference : note.kind)) ?? [];

describe('The note of a turn for the counter', () => {
  it('has what was redeemed, when, and whose it is, masked', () => {
    const [note, ...others] = redeem(startShop());
    expect(others).toEqual([]);
    expect(note).toMatchObject({
      kind: 'redeemed',
      redemption: { status: 'confirmed', gift: 'DAUMAY01', what: SETTINGS.gifts[0]?.name, score: 10 },
      whose: '0867 *** 456',
    });
  });

  it('is left out without staff routes, and then the receipt has no code', () => {
    const shop = startShop({ counter: false });
    expect(redeem(shop)).toEqual([]);
    expect(JSON.stringify(shop.replies)).not.toContain('CODE-');
  });

  it('is left out if AntCRM refused the redemption, and for accumulations', () => {
    const shop = startShop();
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'refused', operation: effect.operation } : succeed(effect);
    expect(redeem(shop)).toEqual([]);
    shop.text('tích điểm TIVI000000017 0867123456');
    if (shop.question.choices?.some(({ id }) => id.startsWith('confirm:'))) shop.press('confirm');
    expect(shop.last?.gifts).toBeUndefined();
  });

  it('says first that a redemption is being checked, then how it ended', () => {
    const shop = startShop();
    const lookup = lookupOf('redeem', 'DAUMAY01');
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
    expect(redeem(shop)).toMatchObject([{ redemption: { status: 'checking' }, whose: '0912 *** 678' }]);
    expect(shop.replies.at(-1)).not.toHaveProperty('qr');
    shop.answers = (effect) =>
      effect.kind === 'check'
        ? { kind: 'checked', operation: effect.operation, found: 'applied', receipt: { score: 10 } }
        : succeed(effect);
    shop.later(6_000).wake();
    expect(shop.last?.gifts).toMatchObject([{ redemption: { status: 'confirmed', score: 10 } }]);
    expect(shop.replies.at(-1)).toMatchObject({ key: 'operation.resolved.done', qr: expect.any(String) });
  });

  it('says "confirmed" if an operator settles the redemption as done', () => {
    const shop = startShop();
    const lookup = lookupOf('redeem', 'DAUMAY01');
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
    redeem(shop);
    const [operation] = shop.state.operations;
    shop.send({ kind: 'settle', operation: operation?.id ?? '', result: 'done', locks: [] });
    expect(shop.last?.gifts).toMatchObject([
      { redemption: { status: 'confirmed', reference: operation?.id } },
    ]);
  });

  it('says "not applied" if the lookup finds that AntCRM refused the redemption', () => {
    const shop = startShop();
    const lookup = lookupOf('redeem', 'DAUMAY01');
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
    redeem(shop);
    const [{ id = '' } = {}] = shop.state.operations;
    let found: 'unreadable' | 'refused' = 'unreadable';
    shop.answers = (effect) =>
      effect.kind === 'check' ? { kind: 'checked', operation: effect.operation, found } : succeed(effect);
    for (const _ of [1, 2, 3, 4]) shop.later(31 * 60_000).wake();
    found = 'refused';
    shop.later(31 * 60_000).wake();
    expect(shop.state.operations).toMatchObject([{ status: 'refused' }]);
    expect(shop.last?.gifts).toMatchObject([{ redemption: { status: 'notApplied', reference: id } }]);
    shop.text('/forget');
    expect(forgotten(shop)).toEqual([id]);
  });

  it.each([
    ['one record', 'applied', ['confirmed']],
    ['several records, of which any may be another’s', 'several', []],
  ] as const)('a day after "not applied", with %s, is what AntCRM confirms', (_, later, statuses) => {
    const shop = startShop();
    const lookup = { ...lookupOf('redeem', 'DAUMAY01'), locks: ['customer:475'] };
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
    redeem(shop);
    let found: 'none' | typeof later = 'none';
    shop.answers = (effect) => {
      if (effect.kind !== 'check') return succeed(effect);
      const receipt = found === 'applied' ? { receipt: { record: 'r1', score: 10 } } : {};
      return { kind: 'checked', operation: effect.operation, found, ...receipt };
    };
    for (const _look of [1, 2, 3, 4, 5]) shop.later(31 * 60_000).wake();
    expect(shop.state.operations).toMatchObject([{ status: 'notApplied' }]);
    found = later;
    shop.later(DAY_MS).wake();
    const noted = shop.last?.gifts?.flatMap((note) =>
      note.kind === 'redeemed' ? note.redemption.status : [],
    );
    expect(noted ?? []).toEqual(statuses);
  });

  it('/forget reaches the record of a redemption that is with staff', () => {
    const shop = startShop();
    const lookup = lookupOf('redeem', 'DAUMAY01');
    shop.answers = (effect) =>
      effect.kind === 'redeem' ? { kind: 'unknown', operation: effect.operation, lookup } : succeed(effect);
    redeem(shop);
    shop.answers = (effect) =>
      effect.kind === 'check'
        ? { kind: 'checked', operation: effect.operation, found: 'several' }
        : succeed(effect);
    shop.later(6_000).wake();
    expect(shop.state.operations).toMatchObject([{ status: 'escalated' }]);
    const [{ id = '' } = {}] = shop.state.operations;
    shop.text('/forget');
    expect(forgotten(shop)).toEqual([id]);
  });

  it('/forget reaches the records of all redemptions of half a year', () => {
    const shop = startShop();
    const old = redeem(shop);
    shop
      .later(200 * DAY_MS)
      .text('xem điểm')
      .shareOwnPhone();
    const references = Array.from({ length: 20 }, () => {
      const [note] = redeem(shop);
      shop.later(60_000);
      return note?.kind === 'redeemed' ? note.redemption.reference : 'none';
    });
    expect(old).toHaveLength(1);
    shop.text('/forget');
    expect(forgotten(shop)).toEqual(references);
    expect(shop.state.gifts).toBeUndefined();
  });

  it('the bot forgets by itself who owns the oldest of more than a hundred redemptions', () => {
    const shop = startShop();
    const [first] = redeem(shop);
    for (let count = 0; count < 111; count++) {
      redeem(shop.later(60_000));
      if (forgotten(shop).length > 1) break;
    }
    expect(shop.last?.gifts?.at(-1)).toEqual({
      kind: 'forget',
      reference: first?.kind === 'redeemed' ? first.redemption.reference : '',
    });
  });
});

describe('The button for the picture of a code', () => {
  const press = (shop: Dialogue, choice: string, view?: string) =>
    shop.send({ kind: 'choice', choice, ...(view !== undefined && { view }) });

  it('works however old its receipt is, and the running flow goes on', () => {
    const shop = startShop();
    redeem(shop);
    const receipt = shop.replies.find(({ key }) => key === 'redeem.done');
    shop.text('đổi quà LOA01');
    press(shop, `qr:${receipt?.qr}`, receipt?.view);
    expect(shop.replies[0]).toMatchObject({ key: 'receipt.qr', qr: receipt?.qr });
    expect(shop.question.key).not.toBe('choice.expired');
  });

  it('does nothing after /forget, and for the code of another customer', () => {
    const shop = startShop();
    redeem(shop);
    const receipt = shop.replies.find(({ key }) => key === 'redeem.done');
    expect(press(shop, 'qr:7KQ2-M8XR-W4TD').keys).toEqual(['choice.expired']);
    shop.text('/forget');
    expect(press(shop, `qr:${receipt?.qr}`).keys).toEqual(['choice.expired']);
  });
});
