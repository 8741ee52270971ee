import { describe, expect, it } from 'vitest';
import type { Expecting, Reading, TextCommand } from '../../src/conversation/commands.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { createActs } from '../../src/conversation/language/table.ts';
import { fold, unmark } from '../../src/conversation/language/tokens.ts';
import { interpret, vocabulary } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';

/* What words may do to what was gathered: every line of the files is tried where most is at stake. */

const reading: Reading = { settings: SETTINGS, nowMs: Date.UTC(2026, 10, 25, 5) };
const nothing: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const codes = ['TIVInpmx8b98pfg', 'TULANH000000123'];
const earning: Expecting = { ...nothing, place: 'summary', flow: 'accumulate', codes, phone: '+84867123456' };
const redeeming: Expecting = { ...nothing, place: 'summary', flow: 'redeem', gift: 'DAUMAY01' };

const commandsOf = (text: string, at: Expecting) => interpret(text, at, reading).commands;
const does = (text: string, at: Expecting, ...names: readonly TextCommand['do'][]) =>
  commandsOf(text, at).some((command) => names.includes(command.do));

const VARIANTS: readonly ((text: string) => string)[] = [
  (text) => `ok ${text}`,
  (text) => `${text} ok`,
  (text) => `ok, ${text}`,
  (text) => `dạ ${text} ạ`,
  (text) => `${text}, cảm ơn`,
];
const isLong = process.env.FAULTS === 'long';
/** A line alone and with one of these, in the long form with each. */
const spoken = (text: string, at: number) => [
  text,
  ...VARIANTS.filter((_, n) => isLong || n === at % VARIANTS.length).map((vary) => vary(text)),
];

describe('every line of the language files, alone and with "ok", "dạ" and thanks', () => {
  const tried = vocabulary.examples.flatMap(({ act, text: example }, at) =>
    spoken(example, at).map((text) => ({
      act,
      text,
      commands: [...commandsOf(text, earning), ...(text === example ? commandsOf(text, redeeming) : [])],
    })),
  );
  type Tried = (typeof tried)[number];
  const found = (isWrong: (one: Tried) => boolean) =>
    tried.filter(isWrong).map(({ act, text }) => `${text} (${act})`);
  const did = ({ commands }: Tried, ...names: readonly TextCommand['do'][]) =>
    commands.some((command) => names.includes(command.do));
  const isOther = ({ act }: Tried, ...acts: readonly string[]) => !acts.includes(act);

  it('is a yes only under "yes", or beside thanks and a greeting', () => {
    const listed = new Set(vocabulary.examples.flatMap(({ act, text }) => (act === 'yes' ? fold(text) : [])));
    const isElse = (one: Tried) =>
      isOther(one, 'yes', 'talk thanks', 'talk greeting') && !listed.has(fold(one.text));
    expect(found((one) => isElse(one) && did(one, 'yes'))).toEqual([]);
  });

  it('ends what was gathered only if its heading ends, declines or denies', () => {
    // "Không đổi loa" ends its redemption.
    const isElse = (one: Tried) =>
      isOther(one, 'cancel', 'cancel mild', 'no', 'none', 'remove') && !one.text.includes('{gift}');
    expect(found((one) => isElse(one) && did(one, 'cancel'))).toEqual([]);
  });

  it('takes codes away only if its heading changes them, and asks to erase only under its own', () => {
    const isElse = (one: Tried) => isOther(one, 'remove', 'cancel', 'none', 'no', 'change');
    expect(found((one) => isElse(one) && did(one, 'remove', 'keepOnly'))).toEqual([]);
    const isErasing = ({ commands }: Tried) =>
      commands.some((command) => command.do === 'show' && command.what === 'erasing');
    expect(found((one) => isOther(one, 'show erasing') && isErasing(one))).toEqual([]);
  });

  it('has a row in the table of acts', () => {
    const acts = createActs(
      flows.map(({ name }) => name),
      [],
    );
    expect(vocabulary.examples.filter(({ act }) => !acts.has(act))).toEqual([]);
  });
});

it.each([
  'đừng huỷ',
  'đừng hủy nha',
  'không huỷ',
  "don't cancel",
  'please do not cancel',
  'đừng xoá',
  "don't stop",
])('"%s" at a summary ends nothing', (text) => {
  for (const at of [earning, redeeming]) expect(does(text, at, 'cancel', 'remove', 'yes')).toBe(false);
});

describe('a line that is possible only at another question', () => {
  const places: readonly Expecting[] = [
    nothing,
    { ...nothing, place: 'page', flow: 'history' },
    { ...nothing, place: 'slot', flow: 'accumulate', kind: 'codes' },
    earning,
    redeeming,
  ];

  it.each(['bo qua', 'bỏ qua', 'bo qua nha', 'skip'])('"%s" begins nothing anywhere', (text) => {
    for (const at of places)
      expect([at.place, does(text, at, 'start', 'speak', 'remove')]).toEqual([at.place, false]);
  });

  it('is no deed at another question if it is none at its own, with or without its marks', () => {
    const acts = createActs(
      flows.map(({ name }) => name),
      [],
    );
    const isBound = (act: string) => acts.get(act)?.at !== undefined;
    const elsewhere = new Set(
      vocabulary.examples.flatMap(({ act, text }) => (isBound(act) ? [] : fold(text))),
    );
    const lines = vocabulary.examples.filter(
      ({ act, text }) =>
        isBound(act) && !acts.get(act)?.isDeed && !text.includes('{') && !elsewhere.has(fold(text)),
    );
    const isDone = ({ act, text }: (typeof lines)[number]) =>
      places
        .filter((at) => acts.get(act)?.at?.includes(at.place) === false)
        .some((at) =>
          [text, unmark(text)].some((one) => does(one, at, 'start', 'speak', 'remove', 'keepOnly')),
        );
    expect(lines.filter(isDone).map(({ act, text }) => `${text} (${act})`)).toEqual([]);
  });
});

describe('clauses', () => {
  const VERBS = {
    vi: {
      accumulate: ['tích điểm', 'nhập mã'],
      redeem: ['đổi quà', 'đổi điểm lấy quà'],
      history: ['xem lịch sử'],
    },
    en: { accumulate: ['earn points'], redeem: ['redeem a gift'], history: ['see my history'] },
  } as const;
  const CONTRASTS = {
    vi: [
      (yes: string, no: string) => `không muốn ${no}, muốn ${yes}`,
      (yes: string, no: string) => `${yes} chứ không phải ${no}`,
      (yes: string, no: string) => `không phải ${no}, ${yes} cơ`,
      (yes: string, no: string) => `đừng ${no}, ${yes} đi`,
      (yes: string, no: string) => `${yes}, không phải ${no}`,
      (yes: string, no: string) => `${yes}, lát nữa mới ${no}`,
    ],
    en: [
      (yes: string, no: string) => `I don't want to ${no}, I want to ${yes}`,
      (yes: string, no: string) => `${yes}, not ${no}`,
      (yes: string, no: string) => `${yes} instead of ${no}`,
    ],
  } as const;
  const pairs = (['vi', 'en'] as const).flatMap((locale) => {
    const all = Object.entries(VERBS[locale]).flatMap(([flow, verbs]) =>
      verbs.map((verb: string) => ({ flow, verb })),
    );
    return all.flatMap((yes) =>
      all
        .filter((no) => no.flow !== yes.flow)
        .flatMap((no) =>
          CONTRASTS[locale].map((join) => ({
            text: join(yes.verb, no.verb),
            flow: yes.flow,
            denied: no.flow,
          })),
        ),
    );
  });

  it('a denial or a plan in another clause begins nothing, and the wish counts', () => {
    const begun = pairs.map(({ text, flow, denied }) => {
      const started = commandsOf(text, nothing).flatMap((command) =>
        command.do === 'start' ? command.flow : [],
      );
      return { text, isWished: started.includes(flow), isDenied: started.includes(denied) };
    });
    expect(begun.filter(({ isDenied }) => isDenied)).toEqual([]);
    const missed = begun.filter(({ isWished }) => !isWished);
    expect(missed.length, JSON.stringify(missed, null, 1)).toBeLessThanOrEqual(pairs.length / 10);
  });

  it.each([
    'không muốn tích điểm',
    'đừng đổi quà',
    'không cần đổi quà đâu',
    "I don't want to redeem",
    'lát nữa mình đổi quà',
  ])('"%s" begins nothing', (text) => expect(does(text, nothing, 'start')).toBe(false));
});
