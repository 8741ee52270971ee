import { actOf, judgeText } from '../../src/cli/folds.ts';
import type { Expecting, Reading } from '../../src/conversation/commands.ts';
import { createConversation, slashCommands } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { type Answer, LanguageInterpreter } from '../../src/conversation/language/interpret.ts';
import { isForShop } from '../../src/conversation/language/table.ts';
import { lacksEmail } from '../../src/conversation/language/values.ts';
import { Vocabulary } from '../../src/conversation/language/vocabulary.ts';
import { spanNamed } from '../../src/conversation/values/calendar.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';

/**
 * The bot's own conversation: preparing one takes a quarter of a second, and it keeps nothing of a customer.
 */
export const conversation = createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS });
export const { step, readState, newState, commands } = conversation;

/** What customers say, by the language files. */
export const vocabulary = new Vocabulary(LANGUAGE_TEXTS);
/** Their sentences under `## heard`. */
export const misunderstoodOnce = LANGUAGE_TEXTS.flatMap(({ text }) =>
  (text.split('\n## heard\n')[1] ?? '')
    .split('\n')
    .flatMap((line) => (line.startsWith('- ') ? line.slice(2) : [])),
);
const BUILT_IN = Object.keys(WORDING.vi)
  .flatMap((key) => (key.startsWith('answer.') ? key.slice(7) : []))
  .filter((id) => !isForShop(id));

const createLanguage = (answers: readonly Answer[] = []) =>
  new LanguageInterpreter({
    vocabulary,
    flows,
    commands: slashCommands(flows, WORDING),
    answers,
    answered: new Set([...BUILT_IN, ...answers.map(({ id }) => id)]),
  });
const NOWHERE: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const READING: Reading = { settings: { gifts: [], codePrefixes: [], timeZone: 'UTC' }, nowMs: 0 };
const language = createLanguage();
export const interpret = language.interpret.bind(language);
/** How a text that should be this act is understood at its most natural question. */
export const judge = (text: string, act: string) => judgeText(text, act, language);

/** The act of a text by itself. */
function actIn(interpreter: LanguageInterpreter, text: string): string | undefined {
  const { commands } = interpreter.interpret(text, NOWHERE, READING);
  const [command] = commands.filter((one) => one.do !== 'add' && one.do !== 'set' && one.do !== 'unclear');
  return command && actOf(command);
}

export function understand(text: string) {
  const parsed = language.values.read(text, NOWHERE, READING);
  const { mentions, period, type, reference, rest } = parsed;
  const act = actIn(language, text);
  const meant = mentions.filter(({ sign }) => sign !== 'denied');
  const all = (meant.length > 0 ? meant : mentions).map(({ value }) => value);
  const codes = [...new Set(mentions.flatMap(({ value }) => (value.kind === 'code' ? value.code : [])))];
  const [phone] = all.flatMap((value) => (value.kind === 'phone' ? value.phone : []));
  const [email] = all.flatMap((value) => (value.kind === 'email' && value.email.ok ? value.email : []));
  const isMangled = all.some(({ kind }) => kind === 'mangled');
  const isMangledEmail = all.some((value) => value.kind === 'email' && !value.email.ok);
  return {
    act,
    codes,
    code: codes[0],
    phone: phone?.value,
    phoneAsk: phone?.ask,
    email: email?.value,
    emailSuggestion: email?.suggestion,
    mangled: isMangled ? 'code' : isMangledEmail ? 'email' : undefined,
    period: period && (period.fault ?? 'period'),
    type: act === undefined || act === 'start history' ? type : undefined,
    reference,
    noEmail: lacksEmail(parsed) || undefined,
    rest: rest.join(' ') || undefined,
  };
}

export const PERIOD_NAMES = vocabulary.lists.flatMap(({ section, name, phrases }) =>
  section === 'periods' && spanNamed(name, 0) ? phrases : [],
);

/** What a text says of time; `at`: where. */
function periodAt(text: string, nowMs: number, timeZone: string, at: Expecting) {
  const reading = { settings: { gifts: [], codePrefixes: [], timeZone }, nowMs };
  for (const command of interpret(text, at, reading).commands) {
    if (command.do === 'period') return { ok: true as const, value: command.period };
    const wrong = command.do === 'unclear' && command.wrong?.kind === 'period' && command.wrong;
    if (wrong) return { ok: false as const, reason: wrong.reason };
  }
  return { ok: false as const, reason: 'period.shape' };
}
/** A text that answers the question for a period. */
export const parsePeriod = (text: string, nowMs: number, timeZone: string) =>
  periodAt(text, nowMs, timeZone, { ...NOWHERE, place: 'slot', flow: 'history', kind: 'period' });
/** The period among what else a text says. */
export const periodIn = (text: string, nowMs: number, timeZone: string) =>
  periodAt(text, nowMs, timeZone, NOWHERE);

/** Finds what answers a question; `answers`: the operator's. */
export function questionsOf(answers: readonly Answer[] = []) {
  const interpreter = answers.length > 0 ? createLanguage(answers) : language;
  return (text: string): string | undefined => {
    const { commands } = interpreter.interpret(text, NOWHERE, READING);
    return commands.flatMap((command) =>
      command.do === 'ask' && command.about === 'answer' ? command.id : [],
    )[0];
  };
}
