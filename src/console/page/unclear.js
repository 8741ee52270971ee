import { $, addressParts, exchange, make } from './page.js';
import { questionName, word } from './words.js';

/*
 * Sentences that the bot did not understand, sorted by the question that the bot had asked. Each comes with
 * the line of a language file, and the entry of ANSWERS_FILE, that would teach it.
 */

const normalize = (text) => text.toLowerCase().replace(/\s+/g, ' ').trim();

/** Sentences by the question that they answered, the most frequent first. */
function byQuestion(unclear) {
  const questions = Map.groupBy(unclear, ({ question = '' }) => question);
  return [...questions].sort(([, a], [, b]) => b.length - a.length);
}

function sentenceCard(sentences) {
  const [{ text }] = sentences;
  const row = make(
    'details',
    'card',
    make('summary', '', make('span', '', text), make('b', 'soft', `${sentences.length}×`)),
  );
  const locale = $('locale').value;
  const entry = { id: 'my.answer', asks: { [locale]: [text] }, answer: { vi: '…', en: '…' } };
  for (const [title, line] of [
    [`locales/${locale}.md`, `- ${text}`],
    ['ANSWERS_FILE', JSON.stringify(entry)],
  ])
    row.append(make('h3', '', title), make('pre', '', line));
  return row;
}

async function draw() {
  const answer = await exchange('staff/unclear');
  if (answer?.status !== 200) return;
  const questions = byQuestion(answer.content.unclear).map(([key, sentences]) => {
    const groups = [...Map.groupBy(sentences, ({ text }) => normalize(text)).values()];
    groups.sort((a, b) => b.length - a.length);
    const title = key === '' ? word('Asked nothing', 'Khi bot không hỏi gì') : questionName(key);
    return make('section', '', make('h2', '', `${title} · ${sentences.length}`), ...groups.map(sentenceCard));
  });
  $('questions').replaceChildren(
    ...(questions.length > 0
      ? questions
      : [word('Everything was understood.', 'Không có câu nào bot chưa hiểu.')]),
  );
}

const drawIfShown = () => addressParts()[0] === 'unclear' && draw();
addEventListener('view', drawIfShown);
void drawIfShown();
