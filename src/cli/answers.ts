import type { Settings } from '../conversation/context.ts';
import { createConversation } from '../conversation/conversation.ts';
import { flows } from '../conversation/flows/index.ts';
import { LANGUAGE_TEXTS, WORDING } from '../i18n.ts';
import { answersFile } from '../operator-files.ts';

/*
 * `npm run answers -- try "mấy giờ mở cửa"`: how the bot understands a sentence, with the answers of
 * `ANSWERS_FILE`.
 */

const USAGE = 'npm run answers -- try "…" ["…"]';

const settings: Settings = {
  defaultLocale: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  identityProof: 'required',
  gifts: [],
  codePrefixes: [],
  operationChecksMs: [],
};
const sender = { channel: 'try', proof: 'contact' } as const;

/** How each text is understood without a context, and which questions are most like it. */
export function tryTexts(texts: readonly string[], path: string | undefined): string[] {
  const answers = path === undefined ? [] : answersFile.parse(path);
  const { explain, newState } = createConversation({
    flows,
    wording: WORDING,
    languageTexts: LANGUAGE_TEXTS,
    answers,
  });
  const known = new Set(answers.map(({ id }) => id));
  return texts.map((text) => {
    const { commands = '', nearest } = explain(text, newState(), { settings, nowMs: Date.now(), sender });
    const [, id] = /^ask answer (\S+)$/.exec(commands) ?? [];
    const isOpen = id !== undefined && !known.has(id) && !(`answer.${id}` in WORDING.vi);
    const near = nearest === undefined ? '' : ` (${nearest})`;
    return `${text} → ${commands}${isOpen ? ', which has no answer' : ''}${near}`;
  });
}

if (import.meta.main) {
  const [command, ...texts] = process.argv.slice(2);
  if (command === 'try' && texts.length > 0)
    console.log(tryTexts(texts, process.env.ANSWERS_FILE || undefined).join('\n'));
  else {
    console.error(USAGE);
    process.exitCode = 2;
  }
}
