import { expect } from 'vitest';
import type { Gift, Settings } from '../../src/conversation/context.ts';
import type { Effect, HistoryRecord, Known, Outcome } from '../../src/conversation/effect.ts';
import type { Message, Sender } from '../../src/conversation/message.ts';
import type { Line, Reply } from '../../src/conversation/reply.ts';
import { localeOf } from '../../src/conversation/state.ts';
import { createWords } from '../../src/i18n.ts';
import { Dialogue, NOW, SETTINGS, STAFF, succeed, TEAMS, TELEGRAM } from './dialogue.ts';

/*
 * Transcripts: dialogues as text, in `test/dialogues/`.
 *
 *     # Topic                                    lines before its first scenario begin each of them
 *     ## the scenario, as a sentence
 *     as staff                                   who writes (`SENDERS`); `with …` settings, `AntCRM …` how it behaves
 *     let who: 0912345678                        `{who}` stands for it from here on
 *     tích điểm {who} | 0912345678 → a, b        said in two ways, each goes through all that follows; two replies
 *     [confirm] → … ! accumulate TIVI000000017   a button (`[old …]` of before, `[any …]` never shown); what earned or spent
 *     (contact 84867123456) → again              what else is sent; the question that was live comes again
 *     (unseen) ok                                written before the last answer came
 *     … 31 min later                             time passes; `… until it wakes`
 *     - xem điểm → points.balance                a way of its own, with the lines that are indented below it;
 *     - quà → … ; asks menu ? history gift       what comes after the ways is common to all
 *     = a ; codes none                           of the last answer, where several ways led to it
 *
 * Replies: `key`, `key_context` (`key_`: none), `key(param=value)`, `a/b` either, `…` any number, `nothing`. After them
 * `;` says a fact (`FACTS`), `!` what earned or spent (all of it: where none is named, nothing may) and `?` what AntCRM was
 * asked besides. A line that begins with one of these, `|` or `→` goes on the line before.
 */

/** A line of a transcript, with its number in the file. */
type Said = { readonly at: number; readonly text: string };
export type Scenario = { readonly name: string; readonly paths: readonly (readonly Said[])[] };
type Topic = { readonly name: string; readonly scenarios: readonly Scenario[] };

/** `# topic`, its beginning, then `## scenario` after `## scenario`, each with its lines. */
export function readTranscripts(source: string): readonly Topic[] {
  const lines = source.split('\n').map((text, at) => ({ at: at + 1, text: text.trimEnd() }));
  return split(joined(lines), '# ').map(({ name, lines: all }) => {
    const at = all.findIndex(({ text }) => text.startsWith('## '));
    const beginnings = pathsOf(at < 0 ? [] : all.slice(0, at));
    const scenarios = split(all.slice(Math.max(at, 0)), '## ').map((scenario) => {
      const rest = pathsOf(scenario.lines);
      return {
        name: scenario.name,
        paths: beginnings.flatMap((begin) => rest.flatMap((path) => alternatives([...begin, ...path]))),
      };
    });
    return { name, scenarios };
  });
}

/** Lines that begin with `|`, `→`, `;`, `!` or `?` go on the line before. */
function joined(lines: readonly Said[]): readonly Said[] {
  const all: Said[] = [];
  for (const { at, text } of lines) {
    if (text.trim() === '' || text.startsWith('//')) continue;
    const before = all.at(-1);
    if (before && /^\s*[;!?|→] /.test(text))
      all[all.length - 1] = { ...before, text: `${before.text} ${text.trim()}` };
    else all.push({ at, text });
  }
  return all;
}

function split(lines: readonly Said[], mark: string): readonly { name: string; lines: readonly Said[] }[] {
  const parts: { name: string; lines: Said[] }[] = [];
  for (const line of lines) {
    if (line.text.startsWith(mark)) parts.push({ name: line.text.slice(mark.length), lines: [] });
    else parts.at(-1)?.lines.push(line);
  }
  return parts;
}

const indentOf = ({ text }: Said): number => text.length - text.trimStart().length;

/** Each `- ` begins a way of its own, with the lines that are indented below it; what comes after them is common to all. */
function pathsOf(lines: readonly Said[]): readonly (readonly Said[])[] {
  const isWay = ({ text }: Said): boolean => text.trimStart().startsWith('- ');
  const at = lines.findIndex(isWay);
  const [first] = lines.slice(Math.max(at, 0));
  if (at < 0 || !first) return [lines];
  const indent = indentOf(first);
  const after = lines.findIndex((line, index) => index > at && indentOf(line) <= indent && !isWay(line));
  const ways: Said[][] = [];
  for (const line of lines.slice(at, after < 0 ? undefined : after)) {
    if (indentOf(line) === indent) ways.push([{ ...line, text: line.text.trimStart().slice(2) }]);
    else ways.at(-1)?.push(line);
  }
  const ends = after < 0 ? [[]] : pathsOf(lines.slice(after));
  return ways.flatMap((way) =>
    pathsOf(way).flatMap((path) => ends.map((end) => [...lines.slice(0, at), ...path, ...end])),
  );
}

/** `a | b → …` is said in two ways; `let name: a | b` stands for `{name}` in the lines after it, one after the other. */
function alternatives(
  [line, ...rest]: readonly Said[],
  named: ReadonlyMap<string, string> = new Map(),
): Said[][] {
  if (!line) return [[]];
  const text = line.text.trim();
  const [, name, words = ''] = /^let (\w+): (.*)$/.exec(text) ?? [];
  if (name !== undefined)
    return alternatives(rest, new Map([...named, [name, meant(words, named).join(' | ')]]));
  const ends = alternatives(rest, named);
  const [said = '', ...answered] = text.split(/ (?=→)/);
  return said
    .split(' | ')
    .flatMap((one) =>
      meant([one, ...answered].join(' '), named).flatMap((way) =>
        ends.map((end) => [{ at: line.at, text: way }, ...end]),
      ),
    );
}

/** The text with what its names stand for, in each way. */
function meant(text: string, named: ReadonlyMap<string, string>): readonly string[] {
  const [, name = ''] = [...text.matchAll(/\{(\w+)\}/g)].find(([, one = '']) => named.has(one)) ?? [];
  const words = named.get(name)?.split(' | ') ?? [];
  return words.length === 0
    ? [text]
    : words.flatMap((one) => meant(text.replaceAll(`{${name}}`, one), named));
}

const SENDERS: Readonly<Record<string, Sender>> = {
  telegram: TELEGRAM,
  teams: TEAMS,
  staff: STAFF,
  'an English client': { ...TELEGRAM, locale: 'en' },
  'an unknown client': { channel: 'telegram', proof: 'contact', name: 'Garnacho' },
  'teams without e-mail': { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho' },
  'teams, unread': { channel: 'teams', proof: 'profile', locale: 'vi', name: 'Garnacho', unread: true },
};

const words = createWords({ timeZone: SETTINGS.timeZone });
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** How AntCRM behaves: what it is told by `AntCRM …` lines. */
type Plan = {
  /** How a call of a code or gift ends; `*`: of any. */
  ends: Record<string, 'refused' | 'unavailable' | 'unknown' | 'busy'>;
  points?: number | null;
  found?: Extract<Outcome, { kind: 'checked' }>['found'];
  reads?: 'unavailable' | undefined;
  /** What the history holds, and adds up to. */
  records?: HistoryRecord[] | undefined;
  sum?: { readonly score: number; readonly partial: boolean };
  many?: number;
  /** What an ended call has locked. */
  locks?: string[];
  /** What a customer had when a call was refused. */
  had?: number;
};

const RECORDS: Readonly<Record<string, HistoryRecord[]>> = {
  'a failed record': [{ id: 'r1', type: 'point', failed: true }],
  'a failed gift and a bare one': [
    { type: 'gift', failed: true, atMs: NOW, what: 'Loa', score: 250 },
    { type: 'gift', failed: false },
  ],
};

function answerOf(plan: Plan, effect: Effect): Outcome {
  if (effect.kind === 'check')
    return { kind: 'checked', operation: effect.operation, found: plan.found ?? 'none', ...receiptOf(plan) };
  if (effect.kind === 'history' || effect.kind === 'balance') {
    if (plan.reads === 'unavailable') return { kind: 'unavailable' };
    if (effect.kind === 'history') return historyOf(plan, effect);
    if (plan.points !== undefined && effect.kind === 'balance')
      return { kind: 'balance', points: plan.points };
    return succeed(effect);
  }
  const code = effect.kind === 'redeem' ? effect.gift : effect.code;
  const { operation } = effect;
  const end = plan.ends[code] ?? plan.ends['*'];
  if (end === undefined && effect.kind === 'redeem' && effect.outdated)
    return { kind: 'outdated', operation };
  if (end === undefined) return succeed(effect);
  switch (end) {
    case 'unknown': {
      const by = effect.kind === 'redeem' ? effect.by : ({ kind: 'phone', value: '+84912345678' } as const);
      const locks = effect.kind === 'redeem' ? ['customer:475'] : [];
      const lookup = { kind: effect.kind, by, code, fromMs: NOW, deadlineMs: NOW, baseline: [], locks };
      return { kind: 'unknown', operation, lookup };
    }
    case 'busy':
      return { kind: 'busy', operation };
    case 'refused':
      return { kind: 'refused', operation, locks: plan.locks, points: plan.had };
    case 'unavailable':
      return { kind: 'unavailable', operation, locks: plan.locks };
  }
}

function historyOf({ records, sum, many }: Plan, effect: Extract<Effect, { kind: 'history' }>): Outcome {
  const page = succeed(effect);
  if (page.kind !== 'history') return page;
  if (many !== undefined && sum) {
    const { skip, take } = effect;
    const all = Array.from({ length: many }, (_, at) => ({
      type: 'gift' as const,
      score: 10,
      what: `Loa ${at + 1}`,
      failed: false,
    }));
    const counted = effect.sum && { sum: { ...sum, count: many } };
    return { kind: 'history', records: all.slice(skip, skip + take), more: many > skip + take, ...counted };
  }
  return {
    ...page,
    ...(records && { records, more: false }),
    ...(effect.sum && sum && { sum: { ...sum, count: 12 } }),
  };
}

function receiptOf({ found }: Plan) {
  return found === 'applied' ? { receipt: { record: 'r9', score: 10, what: 'Đầu máy' } } : {};
}

/** Runs a way through a scenario; throws where something else came than the transcript says. */
export function runTranscript(path: readonly Said[]): void {
  const run = new Run();
  for (const { at, text } of path) {
    try {
      run.line(text);
    } catch (error) {
      const way = path.slice(0, path.findIndex((one) => one.at === at) + 1).map((one) => one.text);
      throw new Error(`line ${at}: ${error instanceof Error ? error.message : error}\n  ${way.join('\n  ')}`);
    }
  }
}

/** What was before a line: the state, the live question, the first of the last replies, how much was called. */
type Before = {
  readonly state: Dialogue['state'];
  readonly question: Reply | undefined;
  readonly first: Reply | undefined;
  readonly effects: number;
};

class Run {
  readonly chat = new Dialogue();
  readonly #plan: Plan = { ends: {} };
  /** Every button that was shown, with its question. */
  readonly #shown: { readonly id: string; readonly view: string | undefined }[] = [];
  #before: Before = { state: this.chat.state, question: undefined, first: undefined, effects: 0 };
  #question: Reply | undefined;
  #sent: Message = { kind: 'group' };
  /** What was to be confirmed so far: `{id1}`, `{id2}`, …; `{id}` is the last one. */
  readonly #confirmed = new Set<string>();

  constructor() {
    this.chat.answers = (effect) => answerOf(this.#plan, effect);
  }

  line(line: string): void {
    const { step } = this.chat.state;
    if (step.at === 'confirming') this.#confirmed.add(step.operation);
    const ids = [...this.#confirmed];
    const text = line.replace(
      /\{id(\d?)\}/g,
      (_, at: string) => ids.at(at === '' ? -1 : Number(at) - 1) ?? '',
    );
    const [said = '', answered] = text.split(/ ?→ ?/);
    if (text.startsWith('= ')) this.#compare(text.slice(2), this.chat.effects.length);
    if (text.startsWith('= ') || this.#prepares(said)) return;
    this.#before = {
      ...{ state: this.chat.state, question: this.#question },
      ...{ first: this.chat.replies[0], effects: this.chat.effects.length },
    };
    this.#say(said);
    for (const { choices = [], view } of this.chat.replies)
      this.#shown.push(...choices.map(({ id }) => ({ id, view })));
    this.#question = this.chat.replies.at(-1) ?? this.#question;
    this.#compare(answered);
  }

  /** Who writes, with what settings, to what AntCRM: nothing is said by it. */
  #prepares(text: string): boolean {
    const [, what = '', how = ''] = /^(as|with|AntCRM|the picture says|…) (.*)$/.exec(text) ?? [];
    if (what === 'as') this.chat.sender = of(SENDERS, how);
    if (what === 'with')
      this.chat.settings = { ...this.chat.settings, ...settingOf(how, this.chat.settings.gifts) };
    if (what === 'AntCRM') this.#plans(how);
    if (what === 'the picture says')
      this.chat.reading = how === 'nothing' ? { kind: 'noCode' } : { kind: 'read', texts: [how] };
    const [, many = '', unit = ''] = (what === '…' && /^([\d.]+) (\w+) later$/.exec(how)) || [];
    if (unit !== '') this.chat.later(Number(many) * of(UNITS, unit));
    const [, unheard = ''] = (what === '…' && /^unheard for (\d+) min$/.exec(how)) || [];
    if (unheard !== '') {
      this.chat.heardMs = this.chat.nowMs + 1000;
      this.chat.later(Number(unheard) * of(UNITS, 'min'));
    }
    return what !== '' && (what !== '…' || unit !== '' || unheard !== '');
  }

  #plans(how: string): void {
    const plan = this.#plan;
    const [, codes = '*'] = / (?:for|refuses) ([\w ]+)/.exec(` ${how}`) ?? [];
    const ends = (kind: Plan['ends'][string]) => {
      for (const code of codes.split(' ')) plan.ends[code] = kind;
    };
    const [, gifts = ''] = /^has (\d+) gifts/.exec(how) ?? [];
    const [, sum = ''] = /^adds up (\d+) points/.exec(how) ?? [];
    const [, points] = /^says (-?\d+) points$/.exec(how) ?? [];
    const [, found] = /^finds (\w+)$/.exec(how) ?? [];
    const [, had] = /, having (\d+)$/.exec(how) ?? [];
    if (had !== undefined) plan.had = Number(had);
    if (how.endsWith(', holding')) plan.locks = ['customer:475'];
    if (how === 'works') Object.assign(plan, { ends: {}, reads: undefined, records: undefined });
    else if (how === 'is known to be away') this.chat.serviceUp = false;
    else if (how === 'is known to be back') this.chat.serviceUp = true;
    else if (how === 'knows nobody') plan.points = null;
    else if (how === 'has no records') plan.records = [];
    else if (gifts !== '')
      Object.assign(plan, { many: Number(gifts), sum: { score: 10, partial: how.endsWith(', uncounted') } });
    else if (how.startsWith('lists ')) plan.records = of(RECORDS, how.slice('lists '.length));
    else if (sum !== '') plan.sum = { score: Number(sum), partial: how.endsWith(', and more') };
    else if (how === 'answers no questions') plan.reads = 'unavailable';
    else if (how.startsWith('refuses')) ends('refused');
    else if (how.startsWith('does not answer')) ends('unavailable');
    else if (how.startsWith('loses the answer')) ends('unknown');
    else if (how.startsWith('is busy')) ends('busy');
    else if (points !== undefined) plan.points = Number(points);
    else if (found !== undefined) plan.found = foundSchema(found);
    else throw new Error(`AntCRM cannot "${how}"`);
  }

  #say(said: string): void {
    const { chat } = this;
    const [, button = ''] = /^\[(.*)\]$/.exec(said) ?? [];
    const [, other = ''] = /^\((.*)\)$/.exec(said) ?? [];
    const [, unseen = ''] = /^\(unseen\) (.*)$/.exec(said) ?? [];
    chat.current = unseen === '';
    if (said === '… until it wakes') {
      const { wakeAtMs } = chat.last ?? {};
      if (typeof wakeAtMs !== 'number') throw new Error('it does not want to be woken');
      chat.nowMs = wakeAtMs;
      chat.wake();
    } else if (button !== '') this.#press(button);
    else if (other === 'wakes') chat.wake();
    else if (other === 'the turn fails') chat.fail();
    else if (other === 'same form again') chat.send(this.#sent);
    else if (other !== '') {
      this.#sent = messageOf(other, this.#question?.view);
      chat.send(this.#sent);
    } else
      chat.text(
        long(unseen || said)
          .replaceAll('\\n', '\n')
          .replace(/^"(.*)"$/, '$1'),
      );
  }

  #press(button: string): void {
    const { chat } = this;
    const [, old] = /^old (.*)$/.exec(button) ?? [];
    const [, any] = /^any (.*)$/.exec(button) ?? [];
    const named = (id: string) => (one: { readonly id: string }) =>
      one.id === id || one.id.startsWith(`${id}:`);
    if (old !== undefined) {
      const shown = this.#shown.find(named(old));
      if (!shown) throw new Error(`no button ${old} was ever shown`);
      chat.send({ kind: 'choice', choice: shown.id, ...(shown.view !== undefined && { view: shown.view }) });
    } else if (any !== undefined) chat.send({ kind: 'choice', choice: any });
    else {
      const { choices = [], view } = this.#question ?? {};
      const choice = choices.find(named(button));
      if (!choice) throw new Error(`no button ${button} among ${choices.map(({ id }) => id).join(' ')}`);
      chat.send({ kind: 'choice', choice: choice.id, view });
    }
  }

  #compare(answered: string | undefined, calledBefore = this.#before.effects): void {
    const parts = (answered ?? '').split(/(?:^| )(?=[;!?] )/);
    const keys = /^[;!?] /.test(parts[0] ?? '') ? '' : (parts.shift() ?? '');
    const given = (mark: string) =>
      parts.flatMap((part) => (part.startsWith(`${mark} `) ? [part.slice(2)] : []));
    const effects = this.chat.effects.slice(calledBefore);
    const moving = effects.filter(({ kind }) => kind === 'accumulate' || kind === 'redeem');
    // What earns or spends is always said; what is read, where it matters.
    expectWords('calls', moving.map(effectWords), given('!'));
    const reads = given('?').filter((one) => one !== 'none');
    if (given('?').length > 0)
      expectWords('reads', effects.filter((one) => !moving.includes(one)).map(effectWords), reads);
    if (keys.trim() !== '') expectReplies(this.chat.replies, keys.trim(), this.#before.question);
    for (const fact of given(';')) this.#expectFact(fact);
  }

  #expectFact(fact: string): void {
    const name = Object.keys(FACTS)
      .filter((one) => fact === one || fact.startsWith(`${one} `))
      .sort((a, b) => b.length - a.length)[0];
    if (name === undefined) throw new Error(`nobody knows what "${fact}" is`);
    const wanted = fact.slice(name.length + 1);
    of(FACTS, name)({ chat: this.chat, wanted, before: this.#before });
  }
}

/** `text ×200`: so many times. */
function long(text: string): string {
  const [, one = text, times = '1'] = /^(.*) ×(\d+)$/.exec(text) ?? [];
  return times === '1' ? text : `${one} `.repeat(Number(times));
}

function of<T>(all: Readonly<Record<string, T>>, name: string): T {
  const one = all[name];
  if (one === undefined) throw new Error(`no ${name} among ${Object.keys(all).join(', ')}`);
  return one;
}

function foundSchema(text: string): NonNullable<Plan['found']> {
  for (const found of ['applied', 'refused', 'none', 'several', 'undecided', 'unreadable'] as const)
    if (found === text) return found;
  throw new Error(`no lookup finds ${text}`);
}

const SHOP: readonly Gift[] = [
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
  {
    ...{ code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
    description: { vi: 'Loa Bluetooth', en: 'Bluetooth' },
    image: 'https://shop.example/loa.jpg',
    pickUp: { vi: '12 Lê Lợi', en: '12 Le Loi' },
  },
  { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10 },
];

/** Lists of gifts by their names. */
const GIFTS: Readonly<Record<string, readonly Gift[]>> = {
  none: [],
  'of a shop': SHOP,
  'of a shop with mugs': [...SHOP, { code: 'LY01', name: { vi: 'Ly', en: 'Mug' }, score: 40 }],
  'of a shop without players': SHOP.slice(0, 2),
  speakers: [
    { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
    { code: 'LOA02', name: { vi: 'Loa kéo', en: 'Party speaker' }, score: 400 },
    { code: 'VOUCHER50', name: { vi: 'Phiếu mua hàng', en: 'Voucher' }, score: 50 },
    { code: 'VOUCHER90', name: { vi: 'Phiếu mua hàng', en: 'Voucher' }, score: 90 },
  ],
};

/** `gifts none` (`GIFTS`), `gifts without LOA01`, `gifts at LOA01 300`, `12 gifts`, `gifts LOA01 250 Loa / Speaker, …`, `no contact`, `no proof`, `no prefixes`. */
function settingOf(text: string, now: readonly Gift[]): Partial<Settings> {
  const [, gone] = /^gifts without (.*)$/.exec(text) ?? [];
  if (gone !== undefined) return { gifts: now.filter(({ code }) => code !== gone) };
  const [, code, score] = /^gifts at (\S+) (\d+)$/.exec(text) ?? [];
  if (code !== undefined)
    return { gifts: now.map((one) => (one.code === code ? { ...one, score: Number(score) } : one)) };
  const [, many, order] = /^(\d+) gifts(, the dearest first)?$/.exec(text) ?? [];
  if (many !== undefined) {
    const all = Array.from({ length: Number(many) }, (_, at) =>
      giftOf(`G${at + 1} ${at + 1}0 Quà số ${at + 1} / Gift ${at + 1}`),
    );
    return { gifts: order === undefined ? all : all.reverse() };
  }
  const [, gifts] = /^gifts (.*)$/.exec(text) ?? [];
  if (gifts !== undefined) return { gifts: GIFTS[gifts] ?? gifts.split(', ').map(giftOf) };
  if (text === 'no contact') return { supportContact: undefined };
  if (text === 'no proof') return { identityProof: 'off' };
  if (text === 'no prefixes') return { codePrefixes: [] };
  throw new Error(`no setting is "${text}"`);
}

function giftOf(text: string): Gift {
  const [, code = '', score = '', vi = '', en = ''] = /^(\S+) (\d+) (.*) \/ (.*)$/.exec(text) ?? [];
  if (code === '') throw new Error(`"${text}" is no gift`);
  return { code, name: { vi, en }, score: Number(score) };
}

/** `contact 84…`, `contact of another 84…`, `start CODE`, `form code=… phone=…`, `photo …`, `group`, `sticker`, `settle …`. */
function messageOf(text: string, view: string | undefined): Message {
  const [kind = '', ...rest] = text.split(' ');
  const more = rest.join(' ');
  switch (kind) {
    case 'contact':
      return { kind, phone: more.replace('of another ', ''), own: !more.startsWith('of another') };
    case 'start':
      return more === '' ? { kind } : { kind, payload: more };
    case 'form': {
      const fields = Object.fromEntries(paramsOf(more));
      return { kind, ...fields, ...('view' in fields && { view }) };
    }
    case 'photo': {
      const [pictures = '', caption] = more.split(' || ');
      const album = pictures.startsWith('of an album, ') && { album: true as const };
      const all = pictures.replace('of an album, ', '').split(', ').map(pictureOf);
      return { kind, pictures: all, ...album, ...(caption !== undefined && { caption }) };
    }
    case 'group':
      return { kind };
    case 'sticker':
    case 'voice':
    case 'other':
      return { kind: 'unknown', what: kind };
    case 'settle': {
      const [operation = '', result] = rest;
      return { kind, operation, result: result === 'done' ? 'done' : 'not-applied', locks: ['customer:475'] };
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

const known = (value: Known | undefined): string[] =>
  value ? [value.value, value.proved ? 'proved' : 'typed'] : [];

/** A moment in words: a local day (its midnight), its `last` millisecond, or `now`. */
function day(ms: number): string {
  if (ms === NOW) return 'now';
  if (ms === NOW - 1) return 'now last';
  const local = (at: number) => new Date(at + 7 * of(UNITS, 'h')).toISOString();
  if (local(ms + 1).endsWith('T00:00:00.000Z')) return `${local(ms).slice(0, 10)} last`;
  return local(ms).replace('T00:00:00.000Z', '');
}

/** An effect in words: all that it carries, and `no-…` for what it does not. */
function effectWords(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case 'accumulate':
      return [
        ...['accumulate', effect.code, effect.operation, effect.name ?? 'no-name'],
        ...(effect.phone ? known(effect.phone) : ['no-phone']),
        ...(effect.email ? [`${effect.email.value}`, `email-${known(effect.email)[1]}`] : ['no-email']),
      ];
    case 'redeem':
      return [
        ...['redeem', effect.gift, effect.operation, effect.by.kind, effect.by.value],
        ...(effect.also
          ? [`also=${effect.also.value}`, `also-${effect.also.proved ? 'proved' : 'typed'}`]
          : ['alone']),
        ...(effect.outdated ? ['outdated'] : []),
      ];
    case 'check':
      return ['check', effect.lookup.code, ...(effect.balance ? ['balance'] : [])];
    case 'balance':
      return ['balance', effect.by.kind, effect.by.value, ...(effect.exact ? ['exact'] : [])];
    case 'history':
      return [
        ...[
          'history',
          effect.type,
          effect.by.kind,
          effect.by.value,
          `skip=${effect.skip}`,
          `take=${effect.take}`,
        ],
        ...[effect.fromMs === undefined ? 'no-from' : `from=${day(effect.fromMs)}`],
        ...[effect.toMs === undefined ? 'no-to' : `to=${day(effect.toMs)}`, ...(effect.sum ? ['sum'] : [])],
      ];
  }
}

/** As many as are wanted, in their order, each with all the words that are wanted of it. */
function expectWords(what: string, came: readonly (readonly string[])[], wanted: readonly string[]): void {
  const found = wanted.map((one, at) => {
    const words = one.split(' ');
    const has = came[at] ?? [];
    return words.every((word) => has.includes(word)) ? one : has.join(' ') || 'nothing';
  });
  const more = came.slice(wanted.length).map((one) => one.join(' '));
  expect([...found, ...more], what).toEqual(wanted);
}

/** `key`, `key_context` (`key_`: none), with `(param=value, …)`; of several keys by `/` one. */
function saysLine(line: Line, wanted: string): boolean {
  const [, keys = '', params = ''] = /^([^(]*)(?:\((.*)\))?$/.exec(wanted) ?? [];
  const isKey = keys.split('/').some((one) => {
    const [key, context] = one.split('_');
    return key === line.key && (context === undefined || context === (line.context ?? ''));
  });
  return isKey && paramsOf(params).every(([name, value]) => textOf(line.params?.[name]) === value);
}

function paramsOf(text: string): [string, string][] {
  return text === ''
    ? []
    : text.split(/, (?=\w+=)/).map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)]);
}

function textOf(param: NonNullable<Line['params']>[string] | undefined): string {
  if (typeof param === 'number' && param > Date.UTC(2020, 0)) return day(param);
  if (typeof param !== 'object') return String(param);
  return 'key' in param && typeof param.key === 'string'
    ? [nameOf({ ...param, key: param.key }), ...paramsIn(param.params)].join(' ')
    : String(Object.values(param)[0]);
}

function paramsIn(params: Line['params'] | string): readonly string[] {
  return typeof params === 'object'
    ? Object.entries(params).map(([name, value]) => `${name}=${textOf(value)}`)
    : [];
}

const nameOf = ({ key, context }: Line): string => (context === undefined ? key : `${key}_${context}`);

/** The replies, in their order; `…` stands for any, `again` for the question that was live, `nothing` for none. */
function expectReplies(replies: readonly Reply[], wanted: string, before: Reply | undefined): void {
  const items = wanted === 'nothing' ? [] : wanted.split(/, (?![^(]*\))/);
  const is = (reply: Reply, item: string) =>
    item === 'again' ? reply.key === before?.key && reply.view === before?.view : saysLine(reply, item);
  const fits = (at: number, from: number): boolean => {
    const item = items[at];
    if (item === undefined) return from === replies.length;
    if (item === '…')
      return Array.from({ length: replies.length - from + 1 }).some((_, skip) => fits(at + 1, from + skip));
    const reply = replies[from];
    return reply !== undefined && is(reply, item) && fits(at + 1, from + 1);
  };
  if (!fits(0, 0)) {
    const came = replies.map((reply) => `${nameOf(reply)}${shown(reply.params)}`).join(', ') || 'nothing';
    throw new Error(`not "${wanted}", but "${came}"`);
  }
}

const shown = (params: Line['params']): string =>
  params === undefined ? '' : `(${paramsIn(params).join(', ')})`;

type Fact = (of: { readonly chat: Dialogue; readonly wanted: string; readonly before: Before }) => void;

const equals =
  (read: (chat: Dialogue) => string): Fact =>
  ({ chat, wanted }) =>
    expect(read(chat)).toBe(wanted);
const list = (all: readonly string[] | undefined): string => (all ?? []).join(' ') || 'none';
const choicesOf = ({ replies }: Dialogue): readonly string[] =>
  (replies.at(-1)?.choices ?? []).map(({ id }) => id);
const linesOf = ({ replies }: Dialogue): readonly Line[] => replies.flatMap(({ lines = [] }) => lines);
const spoken = ({ replies }: Dialogue): string => replies.map((reply) => words.text(reply, 'vi')).join('\n');
const escaped = (text: string): string => text.replaceAll('\\n', '\n').replace(/[.?()…]/g, '\\$&');
const PERSONAL = /912345678|867123456|minh@|garnacho@|TIVI0/;

/** What a line may say of the answer (`; asks email`) and of what is kept (`; codes TIVI000000017`). */
const FACTS: Readonly<Record<string, Fact>> = {
  asks: equals(({ question }) => question.asks ?? 'nothing'),
  choices: equals((chat) => list(choicesOf(chat))),
  offers: ({ chat, wanted }) => expect(choicesOf(chat)).toEqual(expect.arrayContaining(wanted.split(' '))),
  lacks: ({ chat, wanted }) =>
    expect(
      choicesOf(chat).filter((id) => wanted.split(' ').some((one) => id === one || id.startsWith(`${one}:`))),
    ).toEqual([]),
  'shares phone': ({ chat }) => expect(chat.question.sharePhone).toBe(true),
  'in place': ({ chat }) => expect(chat.question.inPlace).toBe(true),
  notice: ({ chat }) => expect(chat.question.notice).toBe(true),
  labels: equals((chat) =>
    (chat.question.choices ?? []).map(({ label }) => words.line(label, 'vi')).join(', '),
  ),
  label: ({ chat, wanted }) =>
    expect((chat.question.choices ?? []).map(({ label }) => words.line(label, 'vi'))).toContain(wanted),
  shortcuts: equals((chat) => list(choicesOf(chat).filter((id) => id.startsWith('redeem:')))),
  'no more': ({ chat }) =>
    expect(chat.replies.flatMap(({ choices = [] }) => choices).map(({ label }) => label.key)).not.toContain(
      'choice.redeem.more',
    ),
  image: equals(({ question }) => question.image ?? 'none'),
  lines: ({ chat, wanted }) => {
    const lines = chat.replies.at(-1)?.lines;
    expect(/^\d+$/.test(wanted) ? String(lines?.length) : list(lines?.map(nameOf))).toBe(wanted);
  },
  line: ({ chat, wanted }) =>
    expect(
      linesOf(chat).some((line) => saysLine(line, wanted)),
      `line ${wanted} among ${linesOf(chat).map((line) => nameOf(line) + shown(line.params))}`,
    ).toBe(true),
  /** `tells receipt.code TIVI000000301 scored, …`: all such lines, with their code and context. */
  tells: ({ chat, wanted }) => {
    const [key = ''] = wanted.split(' ');
    const told = linesOf(chat).filter((line) => line.key === key);
    expect(told.map(({ params, context }) => [params?.code, context].join(' ').trim()).join(', ')).toBe(
      wanted.slice(key.length + 1),
    );
  },
  'no line': ({ chat, wanted }) => expect(linesOf(chat).filter((line) => saysLine(line, wanted))).toEqual([]),
  fields: equals(({ question }) =>
    list(
      question.form?.map(({ slot, value, reason }) =>
        [slot, value ?? '', reason?.key ?? ''].join('=').replace(/=+$/, ''),
      ),
    ),
  ),
  begins: ({ chat, wanted }) => expect(spoken(chat)).toMatch(new RegExp(`^${escaped(wanted)}`)),
  ends: ({ chat, wanted }) => expect(spoken(chat)).toMatch(new RegExp(`${escaped(wanted)}$`)),
  buttons: equals((chat) => String(choicesOf(chat).length)),
  says: ({ chat, wanted }) => expect(spoken(chat)).toContain(wanted.replaceAll('\\n', '\n')),
  'says not': ({ chat, wanted }) => expect(spoken(chat)).not.toContain(wanted),
  shows: ({ chat, wanted }) => expect(JSON.stringify(chat.replies)).toContain(wanted),
  hides: ({ chat, wanted }) => expect(JSON.stringify(chat.replies)).not.toContain(wanted),
  answered: equals(({ last }) =>
    last?.question === undefined ? 'no question' : (last.question.answer ?? 'none'),
  ),
  at: equals(({ state }) => state.step.at),
  tries: equals(({ state }) => String('tries' in state.step ? state.step.tries : 'none')),
  codes: equals(({ state }) => list(state.draft.codes)),
  phone: equals(({ state }) => known(state.draft.phone)[0] ?? 'none'),
  'proved phone': equals(({ state }) => (state.draft.phone?.proved ? state.draft.phone.value : 'none')),
  email: equals(({ state: { draft } }) =>
    draft.email === null ? 'skipped' : (draft.email?.value ?? 'none'),
  ),
  gift: equals(({ state }) => state.draft.code ?? 'none'),
  wanted: equals(({ state }) => String(state.draft.wanted ?? 'none')),
  price: equals(({ state }) => String(state.draft.price ?? 'none')),
  'draft none': ({ chat }) => expect(chat.state.draft).toEqual({}),
  consent: equals(({ state: { consent } }) =>
    consent === undefined ? 'open' : consent.given ? 'given' : 'refused',
  ),
  'asked in vain': equals(({ state }) => String(state.consentUnanswered ?? 0)),
  remembers: equals(({ state: { profile } }) =>
    list([...known(profile.phone), ...(profile.email ? [profile.email.value] : [])]),
  ),
  before: equals(({ state }) => state.before?.phone?.value ?? state.before?.email?.value ?? 'none'),
  guesses: equals(({ state }) => String(state.guesses?.refused ?? 0)),
  operations: equals(({ state }) => list(state.operations.map(({ status }) => status))),
  escalates: equals(({ last }) => list(last?.escalated)),
  references: equals(({ state }) => list(state.operations.map(({ id }) => id))),
  receipt: equals(({ state }) => JSON.stringify(state.operations[0]?.receipt)),
  looks: equals(({ state }) => String(state.operations[0]?.checks)),
  unread: equals(({ state }) => list(state.operations[0]?.unread?.map(String))),
  'no lookup': ({ chat }) => expect(chat.state.operations[0]?.lookup).toBeUndefined(),
  settles: equals(({ last }) => list(last?.settled)),
  settled: equals(({ last }) => String(last?.settled?.length ?? 0)),
  unlocks: ({ chat, wanted }) => {
    const unlocked = (chat.last?.unlock ?? []).map(({ customer, operation, record }) =>
      [customer, operation, record ?? ''].join(' ').trim(),
    );
    expect(unlocked.join(', ') || 'none').toBe(wanted);
  },
  forgets: ({ chat }) => expect(chat.last?.forget).toBe(true),
  'keeps all': ({ chat }) => expect(chat.last?.forget).toBeUndefined(),
  'keeps nothing personal': ({ chat }) => expect(JSON.stringify(chat.state)).not.toMatch(PERSONAL),
  'keeps no': ({ chat, wanted }) => expect(JSON.stringify(chat.state)).not.toContain(wanted),
  slept: ({ chat, wanted, before }) => expect(`${chat.nowMs - before.state.lastMessageMs} ms`).toBe(wanted),
  wakes: equals(({ last, nowMs }) =>
    typeof last?.wakeAtMs === 'number' ? `in ${(last.wakeAtMs - nowMs) / 1000} s` : 'never',
  ),
  speaks: equals(({ state, sender, settings }) => localeOf(state, sender, settings.defaultLocale)),
  pictures: equals(({ photos }) => String(photos.at(-1)?.pictures.length)),
  album: equals(({ state }) => String(state.album?.pictures.length ?? 'none')),
  'heard now': ({ chat }) => expect(chat.state.lastMessageMs).toBe(chat.nowMs),
  'wakes soon': ({ chat }) => expect((chat.last?.wakeAtMs ?? Infinity) - chat.nowMs).toBeLessThan(1000),
  fetched: equals(({ photos }) => String(photos.length)),
  'new button': ({ chat, before }) => expect(choicesOf(chat)[0]).not.toBe(before.question?.choices?.[0]?.id),
  'same button': ({ chat, before }) => expect(choicesOf(chat)[0]).toBe(before.question?.choices?.[0]?.id),
  /** All that was gathered, and where the conversation is. */
  'loses nothing': ({ chat, before }) => {
    const keptOf = ({ textLocale: _, lastMessageMs: __, misses: ___, step, ...rest }: Dialogue['state']) => {
      const { shown: ____, ...where } = { shown: true, ...step };
      return { ...rest, step: where };
    };
    expect(keptOf(chat.state)).toEqual(keptOf(before.state));
  },
  'goes on': ({ chat }) => expect(chat.state.step.at).not.toBe('idle'),
  'another answer': ({ chat, before }) => expect(chat.replies[0]).not.toEqual(before.first),
  'no reply': ({ chat, wanted }) => expect(chat.keys).not.toContain(wanted),
  misses: equals(({ state }) => String(state.misses ?? 0)),
  'keeps the draft': ({ chat, before }) => expect(chat.state.draft).toEqual(before.state.draft),
};
