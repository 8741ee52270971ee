import { actOf, beginsFlow, declines, isIn, isPaused, type Part } from './phrases.ts';

/*
 * Signs: the words around a value say whether it is meant ("không lấy loa" chooses none). They read lists of
 * words, and lines that are signs (`Act.isSign`); which act a text is, the model says.
 */

/** What the words around a value say about it. `deny`: a bare "không", which may also answer our question. */
export type Sign = 'drop' | 'deny' | 'keep' | 'only' | 'replace' | 'add';

const SIGNS: readonly (readonly [Sign, readonly string[]])[] = [
  ['drop', ['codes drop']],
  ['only', ['codes only']],
  ['replace', ['codes replace']],
  ['add', ['codes add']],
  ['keep', ['codes keep']],
];
const BEFORE: typeof SIGNS = [...SIGNS, ['deny', ['stops']]];
const BEHIND: typeof SIGNS = [...SIGNS, ['drop', ['faults']], ['only', ['codes behind']]];

/** What a part says about the value next to it: "bỏ" and "không cần" drop it. */
function signIn(part: Part, signs: typeof BEFORE): Sign | undefined {
  const isDrop = actOf(part) === 'remove' || (actOf(part) === 'none' && signs === BEFORE);
  if (isDrop && !isIn(part, 'email')) return 'drop';
  return signs.find(([, lists]) => isIn(part, ...lists))?.[0];
}

const isQuiet = (part: Part): boolean =>
  isIn(part, 'small', 'polite', 'code', 'phone', 'email', 'gifts', 'counters', 'wishes', 'to') ||
  actOf(part) === 'yes' ||
  beginsFlow(part);

/** Values that stand together, as places of parts `[from, to)`. */
export type PartSpan = { readonly from: number; readonly to: number };

/** A sign, and the place of the part that gives it. */
type FoundSign = { readonly sign: Sign; readonly at: number } | undefined;

/** The sign before each span, else after it; only those after if all are ("A đúng, B sai"). */
export function findSigns(parts: readonly Part[], spans: readonly PartSpan[]): readonly (Sign | undefined)[] {
  const before = spans.map((span) => signBefore(parts, span));
  const behind = spans.map((span) => signBehind(parts, span));
  const last = behind.at(-1);
  const isPostfix = before[0] === undefined && last !== undefined && last.sign !== 'add';
  return spans.map((_, at) => {
    const first = before[at];
    const after = behind[at];
    if (isPostfix || (first?.sign === 'keep' && after?.sign === 'only')) return after?.sign;
    // "A, bỏ B": the sign right before the next value is that one's.
    const isNext = after !== undefined && after.at === before[at + 1]?.at;
    return (first ?? (isNext ? undefined : after))?.sign;
  });
}

/** Values that stand together; the last by itself if it has another sign: "bỏ A, B đúng". */
export function splitTorn(parts: readonly Part[], { from, to }: PartSpan): readonly PartSpan[] {
  const last = parts.findLastIndex(({ value }, at) => at < to && value !== undefined);
  const behind = signBehind(parts, { from, to })?.sign ?? 'add';
  const isTorn = last > from && behind !== 'add' && signBefore(parts, { from, to }) !== undefined;
  const [head, tail] = [
    { from, to: isTorn ? last : to },
    { from: last, to },
  ] as const;
  return isTorn ? [head, tail] : [head];
}

/** At most this many parts stand between a sign and its value. */
const MAX_BETWEEN = 8;

function signBefore(parts: readonly Part[], { from }: PartSpan): FoundSign {
  for (let at = from; at > from - MAX_BETWEEN; at--) {
    const part = parts[at - 1];
    const next = parts[at];
    // "A, bỏ và B": what is dropped stands before.
    if (!part || !next || isPaused(next) || part.value || isIn(part, 'codes join')) return undefined;
    const sign = signIn(part, BEFORE);
    // "Không dùng số 0911111111".
    const denial = sign === 'keep' ? parts[at - 2] : undefined;
    if (denial && isIn(denial, 'stops', 'declines')) return { sign: 'drop', at: at - 2 };
    if (sign) return { sign, at: at - 1 };
    if (!isQuiet(part)) return undefined;
  }
  return undefined;
}

/** The fields that have a word of their own. */
const NAMED_FIELDS = ['code', 'phone', 'email'] as const;

/** Whether a part names another field than that of the value: what follows is about that one. */
function isOfOtherField(part: Part, value: Part['value']): boolean {
  const named = NAMED_FIELDS.filter((field) => isIn(part, field));
  return named.length > 0 && NAMED_FIELDS.some((field) => field === value?.kind && !named.includes(field));
}

function signBehind(parts: readonly Part[], { to }: PartSpan): FoundSign {
  const { value } = parts[to - 1] ?? {};
  let isTorn = false;
  for (let at = to; at < to + MAX_BETWEEN; at++) {
    const part = parts[at];
    const next = parts[at + 1];
    // "0903118264 instead of mine": what is not meant stands behind.
    if (!part || part.value || isIn(part, 'before what is not meant')) return undefined;
    // "0912345678, email khỏi" declines the e-mail.
    if (isOfOtherField(part, value)) return undefined;
    const sign = signIn(part, BEHIND);
    // "A but please use B": behind unknown words, only a fault or a new clause is about the value before.
    if (sign && isTorn && !isIn(part, 'faults') && !isPaused(part)) return undefined;
    // "0912345678, quên mail rồi" drops no phone; "TIVI000000302 sai, email a@b.vn" drops the code.
    const isField = next && isIn(next, 'phone', 'email') && !parts[at + 2]?.value && !isIn(part, 'faults');
    if (sign) return isField ? undefined : { sign, at };
    if (!isQuiet(part) && part.phrase) return undefined;
    isTorn ||= part.phrase === undefined;
  }
  return undefined;
}

const isDenial = (part: Part): boolean => isIn(part, 'stops', 'fails') || declines(part);

/** The place of the denial right before an act, else -1: "no, English please" denies nothing. */
function denialBefore(parts: readonly Part[], at: number, denies = isDenial): number {
  for (let place = at; place > Math.max(0, at - MAX_BETWEEN); place--) {
    const part = parts[place - 1];
    const next = parts[place];
    if (!part || !next || isPaused(next)) return -1;
    if (denies(part)) return place - 1;
    if (!isQuiet(part)) return -1;
  }
  return -1;
}

/** Acts that a denial takes back: "đừng bỏ mã nào". */
const TAKEN_BACK: ReadonlySet<string> = new Set(['remove', 'change']);

/** The parts without a declined change of codes and the words that decline it: "đừng bỏ mã nào". */
export function withoutUnwanted(parts: readonly Part[]): readonly Part[] {
  const isDeclining = (part: Part) => isIn(part, 'declines') || isDenial(part);
  const unwanted = new Set<Part>();
  for (const [at, part] of parts.entries()) {
    const isTaken = TAKEN_BACK.has(actOf(part));
    const from = isTaken ? denialBefore(parts, at, isDeclining) : -1;
    for (const part of from < 0 ? [] : parts.slice(from, at + 1)) unwanted.add(part);
  }
  return unwanted.size === 0 ? parts : parts.filter((part) => !unwanted.has(part));
}

/** Whether the text reports that something went wrong: "đổi rồi mà chưa thấy quà". */
export const isReport = (parts: readonly Part[], isPast = false): boolean =>
  (isPast || parts.some((part) => isIn(part, 'reports'))) &&
  parts.some((part) => isIn(part, 'troubles', 'fails'));
