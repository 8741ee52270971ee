import type { Expecting, Interpreter, Reading, TextCommand } from '../conversation/commands.ts';
import { slashCommands } from '../conversation/conversation.ts';
import { flows } from '../conversation/flows/index.ts';
import { LanguageInterpreter } from '../conversation/language/interpret.ts';
import { type Example, Vocabulary } from '../conversation/language/vocabulary.ts';
import { LANGUAGE_TEXTS, WORDING } from '../i18n.ts';

/*
 * How well the bot understands lines that it has not learnt. The example lines of `locales/*.md` are dealt
 * into five folds; each fold is read by an interpreter that learnt the other four.
 */

export type Verdict = 'right' | 'offered' | 'unclear' | 'wrong';
export type Judged = Pick<Example, 'text' | 'act' | 'locale' | 'line'> & {
  readonly verdict: Verdict;
  /** What was understood, in words: `start redeem`. */
  readonly as: string;
};

const FOLDS = 5;

/** Judges each example line, read by an interpreter that has not learnt it. */
export function judgeFolds(): readonly Judged[] {
  const answered = questionsOf(new Vocabulary(LANGUAGE_TEXTS));
  return Array.from({ length: FOLDS }, (_, fold) => {
    const isLeftOut = (text: string) => hashOf(text) % FOLDS === fold;
    const learnt = new Vocabulary(
      LANGUAGE_TEXTS.map((file) => ({ ...file, text: without(file.text, isLeftOut) })),
    );
    const interpreter = new LanguageInterpreter({
      vocabulary: learnt,
      flows,
      commands: slashCommands(flows, WORDING),
      answers: [],
      answered,
    });
    const examples = new Vocabulary(LANGUAGE_TEXTS).examples.filter(({ text }) => isLeftOut(text));
    return examples.map((example) => ({ ...example, ...judgeText(example.text, example.act, interpreter) }));
  }).flat();
}

/** All questions count as answered: the folds measure whether the model distinguishes them. */
const questionsOf = ({ examples }: Vocabulary) =>
  new Set(examples.flatMap(({ act }) => (act.startsWith('ask ') ? act.slice('ask '.length) : [])));

/** A language file without the example lines that are left out. Word lists stay. */
function without(text: string, isLeftOut: (line: string) => boolean): string {
  const isExample = (line: string) => line.startsWith('- ');
  return text
    .split('\n')
    .filter((line) => !isExample(line) || !isLeftOut(line.slice(2)))
    .join('\n');
}

/** FNV-1a, mixed: the same line is in the same fold on every machine. */
function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_519);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const READING: Reading = {
  settings: {
    gifts: [
      { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Karaoke player' }, score: 100 },
      { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250 },
      { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000 },
    ],
    codePrefixes: ['TIVI', 'TULANH'],
    timeZone: 'Asia/Ho_Chi_Minh',
  },
  nowMs: Date.UTC(2026, 10, 25, 5),
};

const NOTHING: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const EARNING = { ...NOTHING, flow: 'accumulate', codes: ['TIVInpmx8b98pfg', 'TULANH000000123'] };
const PHONE = '+84867123456';

/** The question at which an act is most natural. */
function placeOf(act: string): Expecting {
  if (act === 'none' || act.startsWith('ask email'))
    return { ...EARNING, place: 'slot', kind: 'email', phone: PHONE };
  if (act === 'keep' || act === 'other') return { ...EARNING, place: 'doubt', kind: 'phone' };
  if (act === 'code again' || act === 'ask proof.missing')
    return { ...NOTHING, place: 'slot', kind: 'proof' };
  if (act.startsWith('page ')) return { ...NOTHING, place: 'page', flow: 'history' };
  if (act === 'yes' || act === 'change' || act === 'remove')
    return { ...EARNING, place: 'summary', phone: PHONE };
  if (act.startsWith('ask consent')) return { ...NOTHING, asksConsent: true };
  if (act === 'no') return { ...EARNING, place: 'summary', phone: PHONE };
  if (act.startsWith('cancel') || act.startsWith('ask code'))
    return { ...EARNING, place: 'slot', kind: 'codes', codes: [] };
  if (/^ask (?:phone|proof)/.test(act)) return { ...EARNING, place: 'slot', kind: 'phone' };
  return NOTHING;
}

/** How a text that should be this act is understood at the act's most natural question. */
export function judgeText(text: string, act: string, interpreter: Pick<Interpreter, 'interpret'>) {
  const { commands } = interpreter.interpret(text, placeOf(act), READING);
  return { as: commands.map(describe).join(' · '), verdict: verdictOf(act, commands) };
}

/** The heading under which a command stands. */
export function actOf(command: TextCommand): string {
  switch (command.do) {
    case 'start':
      return `start ${command.flow}`;
    case 'ask':
      return `ask ${command.about === 'answer' ? command.id : command.about}`;
    case 'show':
      return `show ${command.what}`;
    case 'talk':
      return `talk ${command.about}`;
    case 'speak':
      return `speak ${command.locale}`;
    case 'page':
      return `page ${command.to}`;
    case 'use':
      return 'yes';
    default:
      return command.do;
  }
}

const describe = (command: TextCommand): string =>
  command.do === 'unclear' ? `unclear (${(command.likely ?? []).map(actOf).join(', ')})` : actOf(command);

/** Headings that get the same answer, or nearly. */
const ALIKE: readonly (readonly string[])[] = [
  ['cancel', 'cancel mild', 'no', 'none'],
  ['show person', 'show offer', 'show complaint', 'talk upset'],
  ['show erasing', 'show privacy'],
  ['ask operation.when', 'status'],
  ['show help', 'show menu', 'show welcome', 'talk greeting'],
  ['change', 'no'],
  ['change', 'other'],
  ['talk remark', 'ask unknown'],
  ['ask code.wrong', 'ask phone.wrong', 'ask email.wrong', 'ask wrong'],
  ['start accumulate', 'ask points.how'],
  ['start redeem', 'ask gift.how', 'ask points.use'],
  ['show complaint', 'ask points.missing'],
  ['talk wait', 'talk bye'],
  ['talk thanks', 'talk glad'],
  ['talk remark', 'talk glad', 'talk sorry'],
  ['talk chat', 'ask who', 'show help'],
  ['ask gift.reach', 'ask points.use'],
  ['ask code.lost', 'ask code.where'],
  ['ask gift.return', 'ask undo'],
  ['ask gift.return', 'show complaint'],
  ['ask account.change', 'ask account.lost'],
  ['start redeem', 'ask gift.others'],
  ['ask code.expiry', 'ask shop.products'],
];
const isAlike = (one: string, other: string): boolean =>
  one === other || ALIKE.some((acts) => acts.includes(one) && acts.includes(other));

function verdictOf(act: string, commands: readonly TextCommand[]): Verdict {
  const acts = commands.flatMap((command) => (command.do === 'unclear' ? [] : actOf(command)));
  // Its answer is given, and names it.
  const presumed = commands.flatMap((command) =>
    command.do === 'unclear' && command.presumed ? (command.likely ?? []).slice(0, 1).map(actOf) : [],
  );
  const offered = commands.flatMap((command) =>
    command.do === 'unclear' ? (command.likely ?? []).map(actOf) : [],
  );
  if ([...acts, ...presumed].some((reading) => isAlike(reading, act))) return 'right';
  if (offered.some((reading) => isAlike(reading, act))) return 'offered';
  if (acts.some((reading) => reading !== 'ask unknown')) return 'wrong';
  // What says nothing is rightly taken for nothing.
  return (act === 'nothing' || isAlike(act, 'ask unknown')) && offered.length === 0 ? 'right' : 'unclear';
}

/** How large a part of the lines (0–1) has each verdict. */
export function sharesOf(judged: readonly Judged[]): Readonly<Record<Verdict, number>> {
  const share = (verdict: Verdict) =>
    judged.filter((line) => line.verdict === verdict).length / (judged.length || 1);
  return {
    right: share('right'),
    offered: share('offered'),
    unclear: share('unclear'),
    wrong: share('wrong'),
  };
}

/** Headings that are taken for others, the most confused first: "ask gift.what → start redeem". */
export function confusionsOf(judged: readonly Judged[]): readonly Confusion[] {
  const wrong = judged.filter(({ verdict }) => verdict === 'wrong');
  return [...Map.groupBy(wrong, ({ act, as }) => `${act} → ${as}`)]
    .map(([pair, lines]) => ({ pair, lines }))
    .sort((one, other) => other.lines.length - one.lines.length);
}
export type Confusion = { readonly pair: string; readonly lines: readonly Judged[] };

/** The shares of the verdicts, and for each heading with an error how often it was taken for what. */
export function reportFolds(judged: readonly Judged[]): string {
  const shares = Object.entries(sharesOf(judged)).map(
    ([verdict, share]) => `${verdict} ${(100 * share).toFixed(1)} %`,
  );
  const confused = confusionsOf(judged).map(({ pair, lines }) => {
    const some = lines.slice(0, 3).map(({ text }) => text);
    return `${String(lines.length).padStart(4)} ${pair}: ${some.join(' | ')}`;
  });
  return [`${judged.length} lines: ${shares.join(', ')}`, ...confused].join('\n');
}
