import { describe, expect, test } from 'vitest';
import {
  parseAnswer,
  parseContact,
  parseHistory,
  parseReason,
  scrub,
  toE164,
} from '../../src/loyalty/wire.ts';
import { fc } from '../support/properties.ts';

const BY_PHONE = { kind: 'phone', value: '+84867123456' } as const;
const BY_EMAIL = { kind: 'email', value: 'GARNACHO@gmail.com' } as const;
const POINT = { type: 'point', by: BY_PHONE } as const;
const GIFT = { type: 'gift', by: BY_PHONE } as const;
/** The document's sample. */
const contact = {
  phones: [{ type: 'Work', _id: '64db290a7796fe24bfe876a8', value: '0867123456' }],
  name: 'Garnacho',
  emails: [{ type: 'Work', _id: '64db290a7796fe24bfe876a9', value: 'Garnacho@gmail.com' }],
  lastname: '',
  customerId: 475,
  id: '64db290a7796fe24bfe876a7',
};
const GARNACHO = { customerId: '475', phones: ['+84867123456'], emails: ['garnacho@gmail.com'] };

function recordsOf(json: unknown, query: Parameters<typeof parseHistory>[1] = POINT) {
  const page = parseHistory(json, query);
  return page === 'unreadable' ? page : page.records;
}

describe('the history', () => {
  test("reads the document's sample", () => {
    const shared = { score: 100, id: '64db290a7796fe24bfe876b4' };
    const point = {
      ...shared,
      type: 1,
      status: 1,
      contact,
      code: 'TIVInpmx8b98pfg',
      serialNumber: 'npmx8b98pfg',
      product: { code: 'TIVI01', name: 'Tivi', id: '64d9f28b2b3ba308b322c710' },
      createdAt: 1692084490615,
    };
    const read = { ...shared, type: 'point', failed: false, what: 'Tivi', code: 'TIVInpmx8b98pfg' };
    expect(recordsOf([point])).toEqual([{ ...read, atMs: 1692084490615, whose: GARNACHO }]);
  });

  test('takes numbers as strings, and leaves out what is missing, null or of a wrong type', () => {
    const records = [
      { type: '1', score: ' 100 ', status: '0', createdAt: '1692084490615', id: 7, product: null },
      { score: 'many', product: { name: ['x'] }, code: {}, contact: null, status: null },
      // Times that no calendar has.
      ...[-1e17, 1e17, '-100000000000000'].map((createdAt) => ({ type: 1, createdAt })),
      null,
      'text',
      { type: 3, score: 1 },
    ];
    const bare = { type: 'point', failed: false, isVague: true };
    expect(parseHistory(records, POINT)).toMatchObject({
      isWhole: false,
      marks: { length: 8, 0: '7' },
      records: [
        { id: '7', type: 'point', failed: true, score: 100, atMs: 1692084490615 },
        ...[bare, bare, bare, bare],
      ],
    });
  });

  test('is unreadable if a record names another customer; a record without names counts as the customer’s', () => {
    const other = {
      type: 2,
      contact: { phones: [{ value: '0912345678' }], emails: [{ value: 'garnacho@gmail.com' }] },
    };
    expect(parseHistory([{ type: 2 }, other], GIFT)).toBe('unreadable');
    expect(recordsOf([other], { ...GIFT, by: BY_EMAIL })).toHaveLength(1);
    expect(recordsOf([{ type: 2, contact: { phones: [], customerId: 1 } }], GIFT)).toHaveLength(1);
  });

  test('reads code and name of a gift from the gift, and gives records of the other type a mark, too', () => {
    const gift = {
      type: 2,
      status: 1,
      gift: { code: 'LOA01', name: 'Loa' },
      code: 'X',
      product: { name: 'Y' },
    };
    const read = { type: 'gift', failed: false, code: 'LOA01', what: 'Loa' };
    expect(parseHistory([gift, { type: 1, id: 'a' }], GIFT)).toMatchObject({
      records: [read],
      marks: [expect.stringContaining('LOA01'), 'a'],
      isWhole: true,
    });
  });

  test('marks a numeric code, which has lost its zeros, and drops ids and codes above 2^53, which were rounded', () => {
    const rounded = Number('9007199254740993');
    const point = { type: 1, status: 1, code: 71, id: 5 };
    expect(recordsOf([point, { ...point, code: rounded, id: rounded }])).toEqual([
      { type: 'point', failed: false, code: '71', id: '5', isNumericCode: true },
      { type: 'point', failed: false },
    ]);
    expect(parseContact({ customerId: rounded, scoreAvailable: 5 }, BY_PHONE)).not.toHaveProperty(
      'customerId',
      expect.anything(),
    );
  });

  test('may come inside an object, and is unreadable if it is no list', () => {
    expect(recordsOf({ data: [{ type: 2 }] }, GIFT)).toHaveLength(1);
    expect(parseHistory('[]', GIFT)).toBe('unreadable');
  });
});

describe('a contact', () => {
  const balance = { ...contact, scoreAvailable: '120', scoreRank: 300, rankName: 'Bạc' };
  const read = { ...GARNACHO, points: 120, rank: 'Bạc', rankPoints: 300 };

  test.each([
    ['one object', balance],
    ['an array', [balance]],
    ['a wrapped array', { data: [balance] }],
    ['a wrapped object', { data: balance }],
  ])('may be %s', (_, json) => {
    expect(parseContact(json, BY_PHONE)).toEqual(read);
    expect(parseContact(json, BY_EMAIL)).toEqual(read);
  });

  test.each([[[]], [{ data: [] }], [{ data: null }]])('is null where AntCRM knows none: %j', (json) => {
    expect(parseContact(json, BY_PHONE)).toBeNull();
  });

  test.each([[null], ['x'], [{}], [[{ success: 0 }]]])('is unreadable: %j', (json) => {
    expect(parseContact(json, BY_PHONE)).toBe('unreadable');
  });

  test('with other phones is another customer; one without phones is taken if it is the only one', () => {
    const other = { ...balance, phones: [{ value: '0867123457' }], customerId: 1 };
    expect(parseContact(other, BY_PHONE)).toBeNull();
    expect(parseContact([other, balance], BY_PHONE)).toEqual(read);
    const bare = { customerId: 475, phones: null, scoreAvailable: 5 };
    expect(parseContact(bare, BY_PHONE)).toMatchObject({ customerId: '475', points: 5, phones: [] });
    // Theirs may be on the next page.
    for (const others of [[bare, bare], [other]]) expect(parseContact(others, BY_PHONE)).toBe('elsewhere');
  });
});

test.each([
  ['applied', [1, '1', true]],
  ['refused', [0, 2, false, '0', 'false']],
  ['unknown', [null, 'error', {}]],
])(
  'a write is %s that says success: %j; only success with an empty list means that there is nothing',
  (kind, all) => {
    for (const success of all) {
      const answer = { success, message: 'Internal error', data: [] };
      const isRead = kind === 'applied';
      expect(parseAnswer(answer).kind).toBe(kind);
      expect(parseHistory(answer, POINT)).toEqual(
        isRead ? { records: [], marks: [], isWhole: true } : 'unreadable',
      );
      expect(parseContact(answer, BY_PHONE)).toEqual(isRead ? null : 'unreadable');
    }
  },
);

test('nothing that AntCRM could send throws', () => {
  const keys = 'type status product gift name code data phones value success __proto__'.split(' ');
  const hostile = fc.letrec((again) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.jsonValue(),
      fc.array(again('value')),
      fc.dictionary(fc.constantFrom(...keys), again('value')),
    ),
  })).value;
  fc.assert(
    fc.property(hostile, (json) => {
      parseHistory(json, POINT);
      parseContact(json, BY_PHONE);
      parseAnswer(json);
      scrub(parseReason(json) ?? '', ['x']);
    }),
  );
  const deep = JSON.parse(`${'[{"data":'.repeat(50_000)}1${'}]'.repeat(50_000)}`);
  expect(parseHistory([deep], GIFT)).toEqual({ records: [], marks: [''], isWhole: false });
  expect(parseContact(deep, BY_PHONE)).toBe('unreadable');
});

test('AntCRM’s messages are safe for a log: no value of a customer, no e-mail, no number', () => {
  expect(scrub('Garnacho (minh@example.vn) has used A12', ['Garnacho'])).toBe('* * has used *');
  expect(scrub('Khách hàng Nguyễn Văn Á không đủ điểm', [])).toBe('Khách hàng * * * không đủ điểm');
});

test.each([
  ['0867 123 456', '+84867123456'],
  ['+84 867 123 456', '+84867123456'],
  ['84867123456', '+84867123456'],
  ['0084867123456', '+84867123456'],
  ['867123456', '+84867123456'],
  ['+84 (0)867 123 456', '+84867123456'],
  ['(+84) 0867123456', '+84867123456'],
  ['0084 0867123456', '+84867123456'],
  ['+6591234567', '+6591234567'],
  ['023232', '023232'],
])('the phone %s is read as %s', (stored, e164) => {
  expect(toE164(stored)).toBe(e164);
});
