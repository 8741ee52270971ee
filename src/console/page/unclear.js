import { $, exchange, make, place } from './page.js';
import { asking, word } from './words.js';

/* What was not understood, for the owner: by the question at hand, and as the line or the answer that teaches it. */

const wordsOf = (text) => text.toLowerCase().replace(/\s+/g, ' ').trim();

/** Sentences by the question that they answered, the most frequent first. */
function byQuestion(unclear) {
  const questions = Map.groupBy(unclear, ({ question = '' }) => question);
  return [...questions].sort(([, a], [, b]) => b.length - a.length);
}

function sentenceOf(same) {
  const [{ text }] = same;
  const row = make(
    'details',
    'card',
    make('summary', '', make('span', '', text), make('b', 'soft', `${same.length}×`)),
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
    const same = [...Map.groupBy(sentences, ({ text }) => wordsOf(text)).values()];
    same.sort((a, b) => b.length - a.length);
    const title = key === '' ? word('Asked nothing', 'Khi bot không hỏi gì') : asking(key);
    return make('section', '', make('h2', '', `${title} · ${sentences.length}`), ...same.map(sentenceOf));
  });
  $('questions').replaceChildren(
    ...(questions.length > 0
      ? questions
      : [word('Everything was understood.', 'Không có câu nào bot chưa hiểu.')]),
  );
}

const look = () => place()[0] === 'unclear' && draw();
addEventListener('view', look);
void look();
