import { fc } from './properties.ts';
import { readSamples, recordedSchema } from './samples.ts';
import { activity, pressActivity, textActivity } from './teams-activities.ts';

/*
 * What nobody should send: structure-aware, so that most of it gets past the first check.
 */

/** Text that breaks what reads text: directions, controls, halves of characters, and feasts for a slow pattern. */
export const nasty: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    ...[
      '\u202Etích điểm\u202C',
      '\u2066\u2067\u2068',
      '\u0000',
      '\u0007\u001B[2J',
      '\uFEFF',
      '\uD800',
      '\uDC00a',
    ],
    ...[
      '\u200B'.repeat(500),
      'e\u0301'.repeat(400),
      '👩‍👩‍👧‍👦'.repeat(100),
      'ﷺ'.repeat(300),
      'İ'.repeat(300),
    ],
    ...['(((((((((('.repeat(100), ' '.repeat(5000), '0'.repeat(5000), '@'.repeat(3000), '.'.repeat(5000)],
    ...[
      'a'.repeat(5000),
      '1/'.repeat(2000),
      'tích điểm '.repeat(300),
      '+84 '.repeat(1000),
      'a@'.repeat(1500),
    ],
    ...[`${'a.'.repeat(2000)}@x`, `${'-'.repeat(3000)}!`, `${'dd'.repeat(2000)}9`, '1/1/2023 - '.repeat(200)],
    ...[
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      '{{points}}',
      '$t(menu)',
      '%00',
      '../../etc/passwd',
    ],
    ...[
      "'; DROP TABLE x; --",
      '<script>alert(1)</script>',
      'confirm:__proto__',
      'gift:constructor',
      'next~~~',
    ],
  ),
  fc
    .tuple(
      fc.constantFrom(
        'tích điểm',
        'đổi quà',
        'lịch sử',
        '/start',
        '/redeem',
        'sdt',
        'mã',
        'email',
        '/forget',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    )
    .map((words) => words.join(' ')),
);

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  nasty,
  fc.integer(),
  fc.double(),
  fc.constantFrom<unknown>(null, true, [], {}, -1, 0, 1e308, Number.MAX_SAFE_INTEGER, '', [null], { id: {} }),
);

/** Any JSON, with the names that change prototypes among its keys. */
export const anything: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(nasty, fc.constantFrom('__proto__', 'text', 'id')), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** The same value with some of its parts replaced, left out or doubled, as `chances` say. */
function mutate(value: unknown, chances: () => number, part: () => unknown): unknown {
  if (chances() < 0.06) return part();
  if (Array.isArray(value)) return value.map((one) => mutate(one, chances, part));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) =>
      chances() < 0.05 ? [] : [[key, mutate(one, chances, part)] as const],
    ),
  );
}

/** What was recorded or written by hand, more or less broken. */
export function brokenOf(samples: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(
      fc.constantFrom(...samples),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.infiniteStream(leaf),
    )
    .map(([sample, chances, parts]) =>
      mutate(
        sample,
        () => chances.next().value ?? 1,
        () => parts.next().value,
      ),
    );
}

export const updates: readonly unknown[] = readSamples('replay/telegram.jsonl', recordedSchema).map(
  ({ sent }) => sent,
);

export const requests: readonly unknown[] = [
  { conversation: 'f1', text: 'tích điểm TIVI000000017', locale: 'vi', name: 'Garnacho' },
  { conversation: 'f2', choice: 'redeem' },
  { conversation: 'f3', contact: { phone: '0867123456', own: false }, as: 'telegram' },
  { conversation: 'f4', form: { code: 'TIVI000000017', phone: '0867123456', email: 'x@y.vn' }, as: 'teams' },
  { conversation: 'f5', start: '_VElWSTAwMDAwMDAxNw', id: 'same' },
  { conversation: 'f6', photo: 'AAAA', as: 'teams', profile: { email: 'x@y.vn' } },
  { conversation: 'f7', text: 'lịch sử 1/8/2023 - 31/8/2023' },
  { conversation: 'f8', contact: { phone: '0867123456' } },
];

/** One of each kind that Teams sends, with answers to go to `serviceUrl`. */
export const activities = (serviceUrl: string): readonly unknown[] => [
  textActivity('tích điểm', { serviceUrl }),
  pressActivity('card', { choice: 'accumulate' }, { serviceUrl }),
  activity('conversationUpdate', { serviceUrl, membersAdded: [{ id: 'x' }] }),
  activity('invoke', { serviceUrl, name: 'adaptiveCard/action', value: { action: { data: {} } } }),
  activity('installationUpdate', { serviceUrl }),
];

/** JSON as bytes that no library would write: cut, not UTF-8, too deep, too much, with a prototype in it. */
export function bytesOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const text = value.map((one) => JSON.stringify(one) ?? 'null');
  const kind = fc.constantFrom(
    'as it is',
    'as it is',
    'as it is',
    'cut',
    'proto',
    'utf8',
    'bom',
    'deep',
    'long',
    'noise',
  );
  return fc
    .tuple(text, kind, fc.nat({ max: 400 }), fc.uint8Array({ maxLength: 200 }))
    .map(([json, how, at, noise]) => {
      switch (how) {
        case 'cut':
          return Buffer.from(json.slice(0, at));
        case 'proto':
          return Buffer.from(
            json.replace(/\{/, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'),
          );
        case 'utf8':
          return Buffer.concat([
            Buffer.from(json.slice(0, at)),
            Buffer.from([0xff, 0xc0, 0x80]),
            Buffer.from(json.slice(at)),
          ]);
        case 'bom':
          return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json)]);
        case 'deep':
          return Buffer.from(json.replace(/:/, `:${'['.repeat(100 * at)}${']'.repeat(100 * at)},"x":`));
        case 'long':
          return Buffer.from(json.replace(/"/, `"${'x'.repeat(2500 * at)}`));
        case 'noise':
          return Buffer.from(noise);
        default:
          return Buffer.from(json);
      }
    });
}
