import type { Gift, Settings } from '../../src/conversation/context.ts';
import type { Effect, HistoryRecord, Movement, Outcome } from '../../src/conversation/effect.ts';
import type { Message, Sender } from '../../src/conversation/message.ts';
import { type Dialogue, fail, lookupOf, SETTINGS, STAFF, succeed, TEAMS, TELEGRAM } from './dialogue.ts';
import { fieldsOf } from './facts.ts';

/*
 * What a transcript says of the scene: who writes, with what settings, how AntCRM behaves; and what is sent
 * but texts.
 */

const SENDERS: Readonly<Record<string, Sender>> = {
  telegram: TELEGRAM,
  teams: TEAMS,
  staff: STAFF,
  'an English client': { ...TELEGRAM, locale: 'en' },
  'an unknown client': { channel: 'telegram', proof: 'contact', name: 'Garnacho' },
  'teams without e-mail': { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho' },
  'teams, unread': { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho', unread: true },
};

export const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

export function of<T>(all: Readonly<Record<string, T>>, name: string): T {
  const one = all[name];
  if (one === undefined) throw new Error(`no ${name} among ${Object.keys(all).join(', ')}`);
  return one;
}

/** `960 to 1060`; `none`: AntCRM counted it too late to be told apart. */
function movementOf(text: string): Movement | undefined {
  const [before, after] = text.split(' to ').map(Number);
  return before === undefined || after === undefined ? undefined : { before, after };
}

type Found = Extract<Outcome, { kind: 'checked' }>['found'];
const FOUND: readonly Found[] = ['applied', 'refused', 'none', 'several', 'undecided', 'unreadable'];

/** How calls end; each ends so for the codes or gifts that follow, or for any. */
type End = Parameters<typeof fail>[1];
const ENDS: Readonly<Record<string, End>> = {
  refuses: 'refused',
  'does not answer': 'unavailable',
  'loses the answer': 'unknown',
  'is busy': 'busy',
};

export class Scene {
  readonly #chat: Dialogue;
  #ends: Readonly<Record<string, End>> = {};
  #found: Found = 'none';
  #points: number | null | undefined;
  #isMute = false;
  #records: HistoryRecord[] | undefined;
  /** What an ended call has locked, and what the customer had then. */
  #locks: string[] | undefined;
  #had: number | undefined;
  /** The customer's points before and after each success; the last one is for all that come. */
  #moves: readonly (Movement | undefined)[] = [];
  /** What was earned and spent, where AntCRM keeps no balance. */
  #sums: Movement | undefined;

  constructor(chat: Dialogue) {
    this.#chat = chat;
    chat.answers = (effect) => this.#answer(effect);
  }

  /** Whether a line is about the scene; then it is set so. */
  sets(text: string): boolean {
    const chat = this.#chat;
    const [, what, how = ''] =
      /^(as|with|AntCRM|the picture says|the journal has|the state has|… unheard for) (.*)$/.exec(text) ?? [];
    if (what === 'as') chat.sender = of(SENDERS, how);
    else if (what === 'with') chat.settings = { ...chat.settings, ...settingOf(how) };
    else if (what === 'AntCRM') this.#behave(how);
    else if (what === 'the picture says') chat.reading = { kind: 'read', texts: [how] };
    else if (what === 'the state has') chat.state = { ...chat.state, ...JSON.parse(how) };
    else if (what === 'the journal has') this.#remember(how);
    else if (what !== undefined) {
      chat.filedMs = chat.nowMs + 1000;
      chat.later(Number.parseInt(how, 10) * of(UNITS, 'min'));
    }
    return what !== undefined;
  }

  /** `OPERATION applied`, `OPERATION unknown CODE`: what an attempt before a crash called. */
  #remember(how: string): void {
    const [operation = '', kind, code = ''] = how.split(' ');
    const isGift = this.#chat.settings.gifts.some((gift) => gift.code === code);
    this.#chat.journal[operation] =
      kind === 'applied'
        ? { kind, operation }
        : { kind: 'unknown', operation, lookup: lookupOf(isGift ? 'redeem' : 'accumulate', code) };
  }

  #behave(how: string): void {
    const [, end = '', codes = '*'] =
      /^(refuses|does not answer|loses the answer|is busy)(?:(?: for)? ([\w ]+))?(?:, .*)?$/.exec(how) ?? [];
    const [, had] = /, having (\d+)$/.exec(how) ?? [];
    const [, points] = /^says (\d+) points$/.exec(how) ?? [];
    const [, found] = /^finds (\w+)/.exec(how) ?? [];
    if (end !== '')
      this.#ends = {
        ...this.#ends,
        ...Object.fromEntries(codes.split(' ').map((code) => [code, of(ENDS, end)])),
      };
    if (had !== undefined) this.#had = Number(had);
    if (how.endsWith(', holding')) this.#locks = ['customer:475'];
    if (how.startsWith('moves ')) this.#moves = how.slice('moves '.length).split(', ').map(movementOf);
    if (how.startsWith('sums ')) this.#sums = movementOf(how.slice('sums '.length));
    if (points !== undefined) this.#points = Number(points);
    if (found !== undefined) this.#found = FOUND.find((one) => one === found) ?? 'unreadable';
    if (how.startsWith('lists ')) this.#records = JSON.parse(how.slice('lists '.length));
    if (how === 'knows nobody') this.#points = null;
    if (how === 'has no records') this.#records = [];
    if (how.startsWith('is known to be ')) this.#chat.serviceUp = how.endsWith('back');
    if (how === 'answers no questions') this.#isMute = true;
    if (how === 'works') [this.#ends, this.#isMute, this.#records] = [{}, false, undefined];
  }

  #answer(effect: Effect): Outcome {
    switch (effect.kind) {
      case 'check': {
        const receipt = { record: 'r9', score: 10, what: 'Đầu máy' };
        const checked = { kind: 'checked', operation: effect.operation, found: this.#found } as const;
        const [balance] = this.#moves;
        return this.#found === 'applied' ? { ...checked, receipt, balance } : checked;
      }
      case 'balance':
        if (this.#isMute) return { kind: 'unavailable' };
        if (this.#sums)
          return { kind: 'sums', earned: this.#sums.before, spent: this.#sums.after, partial: false };
        return this.#points === undefined ? succeed(effect) : { kind: 'balance', points: this.#points };
      case 'history':
        return this.#isMute ? { kind: 'unavailable' } : this.#history(effect);
      default:
        return this.#end(effect, effect.kind === 'redeem' ? effect.gift : effect.code);
    }
  }

  #end(effect: Extract<Effect, { kind: 'accumulate' | 'redeem' }>, code: string): Outcome {
    const end = this.#ends[code] ?? this.#ends['*'];
    if (end === 'refused' || end === 'unavailable')
      return { ...fail(effect, end), locks: this.#locks, points: this.#had } as Outcome;
    if (end) return fail(effect, end);
    if (effect.kind === 'redeem' && effect.outdated) return { kind: 'outdated', operation: effect.operation };
    return this.#moves.length > 0 ? this.#move(effect) : succeed(effect);
  }

  #move(effect: Extract<Effect, { kind: 'accumulate' | 'redeem' }>): Outcome {
    const { settings } = this.#chat;
    const [balance, ...later] = this.#moves;
    if (later.length > 0) this.#moves = later;
    const gift = effect.kind === 'redeem' && settings.gifts.find(({ code }) => code === effect.gift);
    const [score, what] = gift ? [gift.score, gift.name.vi] : [100, 'Tivi'];
    return { kind: 'applied', operation: effect.operation, receipt: { record: 'r', score, what }, balance };
  }

  #history(effect: Extract<Effect, { kind: 'history' }>): Outcome {
    const page = succeed(effect);
    if (page.kind !== 'history' || this.#records === undefined) return page;
    return { ...page, records: this.#records, more: false };
  }
}

const SHOP: readonly Gift[] = [
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
  {
    code: 'LOA01',
    name: { vi: 'Loa', en: 'Speaker' },
    score: 250,
    description: { vi: 'Loa Bluetooth', en: 'Bluetooth' },
    image: 'https://shop.example/loa.jpg',
    pickUp: { vi: '12 Lê Lợi', en: '12 Le Loi' },
  },
  { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 },
];

export const SPEAKERS: readonly Gift[] = [
  { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
  { code: 'LOA02', name: { vi: 'Loa kéo', en: 'Party speaker' }, score: 400 },
  { code: 'VOUCHER50', name: { vi: 'Phiếu mua hàng', en: 'Voucher' }, score: 50 },
  { code: 'VOUCHER90', name: { vi: 'Phiếu mua hàng', en: 'Voucher' }, score: 90 },
];

const GIFTS: Readonly<Record<string, readonly Gift[]>> = {
  none: [],
  'of a shop': SHOP,
  speakers: SPEAKERS,
};

/**
 * A setting with its value as JSON, or without one. Of gifts: a list by its name, some by code, price and
 * names, or so many.
 */
function settingOf(text: string): Partial<Settings> {
  const [, many, order] = /^(\d+) gifts(, the dearest first)?$/.exec(text) ?? [];
  if (many !== undefined) {
    const all = Array.from({ length: Number(many) }, (_, at) =>
      giftOf(`G${at + 1} ${at + 1}0 Quà số ${at + 1} / Gift ${at + 1}`),
    );
    return { gifts: order === undefined ? all : all.reverse() };
  }
  const [, gifts] = /^gifts (.*)$/.exec(text) ?? [];
  if (gifts !== undefined) return { gifts: GIFTS[gifts] ?? gifts.split(', ').map(giftOf) };
  const [, name = text, value = ''] = /^(\w+) (.*)$/.exec(text) ?? [];
  if (!(name in SETTINGS) && name !== 'handover') throw new Error(`no setting is "${name}"`);
  return { [name]: value === '' ? undefined : JSON.parse(value) };
}

function giftOf(text: string): Gift {
  const [, code = '', score = '', vi = '', en = ''] = /^(\S+) (\d+) (.*) \/ (.*)$/.exec(text) ?? [];
  if (code === '') throw new Error(`"${text}" is no gift`);
  return { code, name: { vi, en }, score: Number(score) };
}

/**
 * `contact 84…`, `contact of another 84…`, `start CODE`, `form code=… phone=…`, `photo …`, `group`,
 * `sticker`, `settle …`.
 */
export function messageOf(text: string, view: string | undefined, ticket: string): Message {
  const [, by, id, written] = /^(lan) (?:closes|says (?:#(\w+) )?(.*))$/.exec(text) ?? [];
  if (by !== undefined)
    return {
      ...({ kind: 'person', ticket, by } as const),
      ...(written !== undefined && { text: written.replaceAll('\\n', '\n') }),
      ...(id !== undefined && { id }),
    };
  const [kind = '', ...rest] = text.split(' ');
  const more = rest.join(' ');
  switch (kind) {
    case 'contact':
      return { kind, phone: more.replace('of another ', ''), own: !more.startsWith('of another') };
    case 'start':
      return more === '' ? { kind } : { kind, payload: more };
    case 'form': {
      const fields = Object.fromEntries(fieldsOf(more));
      return { kind, ...fields, ...('view' in fields && { view }) };
    }
    case 'photo': {
      const [pictures = '', caption] = more.split(' || ');
      const all = pictures.split(', ').map(pictureOf);
      return { kind, pictures: all, ...(caption !== undefined && { caption }) };
    }
    case 'group':
      return { kind };
    case 'sticker':
    case 'voice':
    case 'other':
      return { kind: 'unknown', what: kind };
    case 'settle': {
      const [operation = '', result, unheld] = rest;
      const locks = unheld === undefined ? ['customer:475'] : [];
      return { kind, operation, result: result === 'done' ? 'done' : 'not-applied', locks };
    }
    default:
      throw new Error(`nobody sends "${text}"`);
  }
}

function pictureOf(text: string) {
  for (const kind of ['noCode', 'unreadable', 'unavailable', 'elsewhere'] as const)
    if (kind === text) return { kind };
  if (text.startsWith('remote ')) return { kind: 'remote' as const, at: text.slice('remote '.length) };
  return { kind: 'read' as const, texts: text.replaceAll('\\n', '\n').split(' & ') };
}
