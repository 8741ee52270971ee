import { $, emit, exchange } from './page.js';
import { contentOf, inbox } from './tickets.js';
import { word } from './words.js';

/* The search: its results replace the list until the field is empty. */

const PAUSE_MS = 300;
let timer;

async function search() {
  const query = $('search').value.trim();
  const content = query.length < 2 ? null : contentOf(await exchange('staff/tickets/search', { q: query }));
  // Meanwhile something else was typed.
  if (query !== $('search').value.trim()) return;
  inbox.results = content?.tickets ?? null;
  $('searched').hidden = !content || content.searched >= content.total;
  if (content) $('searched').textContent = describeBound(content);
  emit('tickets');
}

const describeBound = ({ searched, total }) =>
  word(
    `Looked through the ${searched} newest of ${total}.`,
    `Đã tìm trong ${searched} trên ${total} yêu cầu, mới nhất trước.`,
  );

$('search').addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
});
// News may change the results.
addEventListener('news', () => inbox.results && search());
