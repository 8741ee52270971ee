import { type Config, EXIT_CONFIG, environment, readConfig } from '../config.ts';
import { createConversation } from '../conversation/conversation.ts';
import { flows } from '../conversation/flows/index.ts';
import { isForShop } from '../conversation/language/table.ts';
import { LOCALES, type Locale, type LocalizedText } from '../conversation/message.ts';
import { LANGUAGE_TEXTS, WORDING } from '../i18n.ts';
import { ablate } from './ablate.ts';
import { judgeFolds, reportFolds } from './folds.ts';
import { judgeOwnGold, listGold, reportGold } from './gold.ts';

/*
 * `npm run answers -- try "…"`: how the bot, with its `ANSWERS_FILE`, understands a sentence.
 * `npm run answers -- folds`: how well it understands lines that it has not learnt.
 * `npm run answers -- gold`: what becomes of the messages of `test/meaning/`.
 * `npm run answers -- ablate`: what each mechanism of reading is worth on them.
 */

/** How each text is understood without a context, how sure that is, the nearest line, and its answer. */
export function tryTexts(
  texts: readonly string[],
  { answers, settings }: Pick<Config, 'answers' | 'settings'>,
): string[] {
  const about = {
    settings: { ...settings, gifts: [], codePrefixes: [] },
    nowMs: Date.now(),
    sender: { channel: 'try', proof: 'contact' },
  } as const;
  const { explain, newState } = createConversation({
    flows,
    wording: WORDING,
    languageTexts: LANGUAGE_TEXTS,
    answers,
  });
  const own = new Map(answers.map(({ id, answer }) => [id, answer] as const));
  return texts.map((text) => {
    const { commands = '', guesses, line } = explain(text, newState(), about);
    const [, id] = /^ask answer (\S+)$/.exec(commands) ?? [];
    const ownAnswers =
      id === undefined ? [] : LOCALES.flatMap((locale) => answerLine(id, locale, own.get(id)));
    const open = id !== undefined && isForShop(id) && !own.has(id) ? ', which only the shop can answer' : '';
    const near = line === undefined ? '' : `; like "${line}"`;
    const why = guesses === undefined ? '' : ` (${guesses}${near})`;
    return [`${text} → ${commands}${open}${why}`, ...ownAnswers].join('\n');
  });
}

/** What customers of that language get: the operator's answer, or else the bot's. */
function answerLine(id: string, locale: Locale, own: LocalizedText | undefined): string[] {
  const text = own === undefined ? WORDING[locale][`answer.${id}`] : own[locale];
  return text === undefined ? [] : [`  ${locale}: ${text}`];
}

if (import.meta.main) {
  const [command, ...texts] = process.argv.slice(2);
  const read = readConfig(environment(), ['ANSWERS_FILE']);
  if (command === 'folds') console.log(reportFolds(judgeFolds()));
  else if (command === 'gold') {
    const cards = judgeOwnGold();
    console.log([reportGold(cards), ...(texts.includes('list') ? listGold(cards) : [])].join('\n'));
  } else if (command === 'ablate') console.log(ablate().join('\n'));
  else if (command !== 'try' || texts.length === 0) {
    console.error(
      'npm run answers -- try "…" ["…"]\nnpm run answers -- folds|ablate\nnpm run answers -- gold [list]',
    );
    process.exitCode = 2;
  } else if (read.ok) console.log(tryTexts(texts, read.config).join('\n'));
  else {
    console.error(read.faults.join('\n'));
    process.exitCode = EXIT_CONFIG;
  }
}
