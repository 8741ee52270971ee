import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Conversation } from '../conversation/conversation.ts';
import { createConversation } from '../conversation/conversation.ts';
import { flows } from '../conversation/flows/index.ts';
import type { Mechanism } from '../conversation/language/mechanisms.ts';
import type { Line, Param, Reply } from '../conversation/reply.ts';
import { findTakenTicket, localeOf, type State } from '../conversation/state.ts';
import { LANGUAGE_TEXTS, WORDING } from '../i18n.ts';
import { type Card, play, type Trial } from './player.ts';

/*
 * `npm run answers -- gold`: what becomes of messages as messy as people write, checked by what must hold
 * afterwards (`test/meaning/`). Two people wrote that, who had not seen an answer.
 */

const some = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item)]).optional();
const asked = z.string().nullable();
const formSchema = z.object({
  flow: some(asked),
  asks: some(asked),
  phone: some(z.string().nullable()),
  email: some(z.string().nullable()),
  codes: z.array(z.string()).nullable().optional(),
  gift: some(z.string().nullable()),
  keys: z.array(z.string()).optional(),
  allKeys: z.array(z.string()).optional(),
  not: z.array(z.string()).optional(),
  person: z.boolean().optional(),
  confirmed: z.boolean().optional(),
  locale: z.string().optional(),
  same: z.boolean().optional(),
});
type Form = z.infer<typeof formSchema>;
const entrySchema = z.object({
  accept: z.array(formSchema),
  tap: z.array(z.string()).optional(),
  never: z.array(formSchema).default([]),
  values: z
    .object({
      phone: some(z.string()),
      email: some(z.string()),
      codes: z.array(z.string()).optional(),
      gift: some(z.string()),
      period: z.boolean().optional(),
    })
    .optional(),
});
type Entry = z.infer<typeof entrySchema>;
type Gold = Readonly<Record<string, Entry>>;

export type GoldVerdict = 'right' | 'tap' | 'unclear' | 'wrong' | 'harm';
export type JudgedCard = Card & { readonly verdict: GoldVerdict; readonly lost: readonly string[] };

const VERDICTS: readonly GoldVerdict[] = ['right', 'tap', 'unclear', 'wrong', 'harm'];

const readGold = (file: string): Gold =>
  z.record(z.string(), entrySchema).parse(JSON.parse(readFileSync(file, 'utf8')));

const trialSchema = z.object({
  id: z.string(),
  lang: z.string(),
  place: z.string(),
  say: z.string(),
  want: z.string(),
  harm: z.string(),
});
const readTrials = (file: string): readonly Trial[] =>
  z.array(trialSchema).parse(JSON.parse(readFileSync(file, 'utf8')));

const DATA = new URL('../../test/meaning/', import.meta.url);
const read = (name: string) => new URL(name, DATA).pathname;
let held: { readonly trials: readonly Trial[]; readonly gold: Gold } | undefined;

/** Judges the messages of `test/meaning/`. `off`: a mechanism of reading that is switched off. */
export function judgeOwnGold(off?: Mechanism): readonly JudgedCard[] {
  held ??= {
    trials: readTrials(read('messages.json')),
    gold: Object.assign(
      {},
      ...GOLD.filter((name) => existsSync(read(name))).map((name) => readGold(read(name))),
    ),
  };
  const conversation = createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS, off });
  return judgeGold(conversation, held.trials, held.gold);
}
const GOLD = ['gold-a.json', 'gold-b.json'];

/** Plays the messages that have a gold. */
function judgeGold(conversation: Conversation, trials: readonly Trial[], gold: Gold): JudgedCard[] {
  return trials.flatMap((trial, at) => {
    const entry = gold[trial.id];
    if (!entry) return [];
    const card = play(conversation, trial, at);
    return { ...card, verdict: verdictOf(card, entry), lost: lostOf(card, entry) };
  });
}

function verdictOf(card: Card, { accept, never, tap = [], ...entry }: Entry): GoldVerdict {
  const seen = see(card);
  if (never.some((form) => holds(form, card, seen))) return 'harm';
  const isKept = lostOf(card, { accept, never, ...entry }).length === 0;
  if (isKept && accept.some((form) => holds(form, card, seen))) return 'right';
  const offered = card.replies.flatMap(({ choices = [] }) => choices.map(({ id }) => id));
  const known = new Set(card.standing.flatMap(({ choices = [] }) => choices.map(({ id }) => id)));
  const fresh = offered.filter((id) => !known.has(id));
  const isTap = (id: string) => tap.some((wanted) => id.startsWith(wanted));
  if (isKept && (fresh.length <= 3 ? offered.some(isTap) : fresh.slice(0, 3).some(isTap))) return 'tap';
  const isUnclear = card.replies.some(({ key }) => key === 'unsure' || key === 'repair.help');
  const isRepeated = card.replies.every(({ key }) => card.standing.at(-1)?.key === key);
  return isKept && (isUnclear || isRepeated) && isSame(card) ? 'unclear' : 'wrong';
}

/** What can be seen of a card. */
type Seen = { readonly keys: ReadonlySet<string>; readonly ids: ReadonlySet<string> };

function see({ replies, answered }: Card): Seen {
  const keys = new Set(replies.flatMap(keysOf));
  const ids = [...keys].flatMap((key) => (key.startsWith('answer.') ? key.slice('answer.'.length) : []));
  return { keys, ids: new Set([...answered, ...ids]) };
}

const keysOf = ({ key, params = {}, lines = [] }: Line & Pick<Reply, 'lines'>): readonly string[] => [
  key,
  ...lines.flatMap(keysOf),
  ...Object.values(params).flatMap(keysIn),
];
const keysIn = (param: Param): readonly string[] =>
  typeof param === 'object' && 'key' in param && typeof param.key === 'string' ? keysOf(param) : [];

/** Ids of the gold that the bot calls otherwise, and keys that say the same. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  'code.unreadable': ['code.look', 'code.lost', 'code.photo', 'code.where'],
  'code.rejected': ['code.wrong', 'code.used', 'last.codeRefused', 'code.once'],
  'code.once': ['code.once', 'code.used'],
  'code.where': ['code.where', 'code.receipt', 'code.look'],
  'code.lost': ['code.lost', 'code.receipt', 'code.where'],
  'points.when': ['points.when', 'last.earned', 'points.later'],
  'points.missing': ['points.missing', 'points.difference', 'last.several'],
  'points.how': ['points.how', 'points.worth', 'accumulate.askCode'],
  'points.worth': ['points.worth', 'points.how', 'points.fair'],
  'points.expiry': ['points.expiry'],
  'gift.price': ['gift.price', 'gift.costs', 'gift.cheapest', 'gift.reach', 'gift.missing', 'gift.left'],
  'gift.where': ['gift.where', 'gift.bring'],
  'gift.delivery': ['gift.delivery'],
  'gift.return': ['gift.return', 'undo'],
  'order.status': ['operation.status', 'last.checking', 'last.earned', 'last.redeemed', 'wait.when'],
  'who.bot': ['who', 'chat', 'welcome.assistant', 'help'],
  'how.earn': ['points.how', 'accumulate.askCode', 'help.accumulate'],
  'how.redeem': ['gift.how', 'points.use', 'redeem.askGift', 'identity.proofNeeded', 'help.redeem'],
  'time.left': ['points.expiry', 'code.expiry', 'wait.when'],
  'phone.why': ['phone.why', 'proof.why', 'account.who'],
  'account.lost': ['account.lost', 'account.change', 'phone.other'],
  'account.change': ['account.change', 'account.lost'],
  privacy: [
    'privacy.consent',
    'privacy.nothing',
    'privacy.remembered',
    'privacy.recent',
    'safe',
    'privacy.text',
  ],
  safe: ['safe', 'privacy.consent', 'ads'],
  invoice: ['code.receipt', 'invoice'],
};
const TALK: ReadonlySet<string> = new Set([
  'greet',
  'welcome',
  'thanks',
  'bye',
  'sorry',
  'glad',
  'chat',
  'listen',
  'upset',
  'wait',
  'later',
]);

function says(wanted: string, card: Card, { keys, ids }: Seen): boolean {
  const { after, replies } = card;
  if (wanted.startsWith('answer:')) {
    const id = wanted.slice('answer:'.length);
    const all = [id, ...(SAME[id] ?? [])];
    return all.some((one) => ids.has(one) || keys.has(one));
  }
  const list = after.step.at === 'browsing' ? after.step.page.list : after.draft.list;
  switch (wanted) {
    case 'person':
      return (
        isWithPerson(after) || replies.some(({ choices = [] }) => choices.some(({ id }) => id === 'person'))
      );
    case 'talk':
      return [...keys].some((key) => TALK.has(key));
    case 'balance':
      return flowOf(after) === 'balance' || keys.has('points.balance') || keys.has('receipt.balance');
    case 'history:point':
    case 'history:gift':
      return flowOf(after) === 'history' && list === wanted.slice('history:'.length);
    case 'history':
      return flowOf(after) === 'history';
    default:
      return wanted.endsWith('.*')
        ? [...keys].some((key) => key.startsWith(wanted.slice(0, -1)))
        : keys.has(wanted);
  }
}

const isWithPerson = (state: State): boolean => findTakenTicket(state) !== undefined;

function flowOf({ step }: State): string | null {
  const flow = 'flow' in step ? step.flow : null;
  return flow === 'points' ? 'balance' : flow;
}

const ASKS = {
  codes: 'code',
  phone: 'phone',
  email: 'email',
  gift: 'gift',
  period: 'period',
  list: 'menu',
  proof: 'proof',
};

function asksOf({ step, consentQuestion }: State): string | null {
  if (step.at === 'confirming') return 'confirm';
  if (step.at === 'asking') return ASKS[step.slot];
  return consentQuestion?.open?.isLast ? 'consent' : null;
}

const list = <Item>(one: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(one) ? one : [one as Item];
const toNational = (phone: string | undefined) => phone?.replace(/^\+84/, '0') ?? null;

function holds(form: Form, card: Card, seen: Seen): boolean {
  const { after, code } = card;
  const { draft } = after;
  const fill = (text: string) => text.replace('{code}', code);
  const is = (
    wanted: string | null | readonly (string | null)[] | undefined,
    found: readonly (string | null)[],
  ) => wanted === undefined || list(wanted).some((one) => found.includes(one === null ? null : fill(one)));
  const flows = after.step.at === 'browsing' ? [flowOf(after), null] : [flowOf(after)];
  const asks = asksOf(after);
  const isCodes = (codes: readonly string[]) =>
    [...new Set(codes.map(fill))].sort().join() === [...new Set(draft.codes ?? [])].sort().join();
  return (
    is(form.flow, flows) &&
    is(form.asks, asks === null || asks === 'gift' || asks === 'menu' ? [asks, 'menu', null] : [asks]) &&
    is(form.phone, [toNational(draft.phone?.value)]) &&
    is(form.email, [draft.email?.value ?? null]) &&
    (form.codes === undefined || isCodes(form.codes ?? [])) &&
    is(form.gift, [draft.gift ?? null]) &&
    (form.keys === undefined || form.keys.some((key) => says(key, card, seen))) &&
    (form.allKeys === undefined || form.allKeys.every((key) => says(key, card, seen))) &&
    !form.not?.some((key) => says(key, card, seen)) &&
    (form.person === undefined || form.person === isWithPerson(after)) &&
    (form.confirmed === undefined || form.confirmed === card.calls.length > 0) &&
    (form.locale === undefined || form.locale === languageOf(card)) &&
    (form.same === undefined || form.same === isSame(card))
  );
}

const languageOf = ({ after, trial }: Card) =>
  localeOf(after, { channel: 'telegram', proof: 'contact', locale: trial.lang === 'en' ? 'en' : 'vi' }, 'vi');

function isSame({ before, after }: Card): boolean {
  const kept = (state: State) => {
    const { codes, phone, email, gift } = state.draft;
    return JSON.stringify([flowOf(state), asksOf(state), codes, phone?.value, email?.value, gift]);
  };
  return kept(before) === kept(after);
}

/** The values that the text brings and that are nowhere afterwards. */
function lostOf({ after, replies, code }: Card, { values = {} }: Entry): readonly string[] {
  const { draft, step, parked, profile } = after;
  const shown = JSON.stringify([draft, step, parked, profile, replies, after.tickets]).replace(/[\s.]/g, '');
  const all = shown.replaceAll('+84', '0').toLowerCase();
  const wanted = [values.phone, values.email, values.gift, values.codes].flatMap((one) => one ?? []);
  return wanted.filter((value) => {
    const text = value.replace('{code}', code).replace(/[\s.]/g, '').toLowerCase();
    return !all.includes(text);
  });
}

/** How many cards have each verdict, by place. */
export function reportGold(cards: readonly JudgedCard[]): string {
  const share = (some: readonly JudgedCard[]) =>
    VERDICTS.map((verdict) => {
      const count = some.filter((card) => card.verdict === verdict).length;
      return `${verdict} ${((100 * count) / (some.length || 1)).toFixed(1)} %`;
    }).join(', ');
  const places = [...Map.groupBy(cards, ({ trial }) => trial.place)].map(
    ([place, some]) => `${place.padEnd(15)} ${String(some.length).padStart(4)}: ${share(some)}`,
  );
  const lost = cards.filter((card) => card.lost.length > 0).length;
  return [`${cards.length} messages: ${share(cards)}; ${lost} lost a value`, ...places].join('\n');
}

/** A line for each card that is not right. */
export const listGold = (cards: readonly JudgedCard[]): readonly string[] =>
  cards
    .filter(({ verdict }) => verdict !== 'right')
    .map(({ verdict, trial, replies, after, lost }) => {
      const keys = replies.flatMap(keysOf).join(' ');
      const missing = lost.length > 0 ? ` LOST ${lost.join(' ')}` : '';
      return `${verdict} ${trial.id} ${trial.place}: ${trial.say} ⇒ ${keys} [${flowOf(after)} ${asksOf(after)}]${missing} — ${trial.want}`;
    });
