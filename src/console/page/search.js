import { $, exchange, tell } from './page.js';
import { contentOf, inbox } from './tickets.js';
import { word } from './words.js';

/* The search: what it finds stands in place of the list, until the field is empty. */

const PAUSE_MS = 300;
let timer;

async function search() {
  const q = $('search').value.trim();
  const found = q.length < 2 ? null : contentOf(await exchange('staff/tickets/search', { q }));
  // Meanwhile something else was typed.
  if (q !== $('search').value.trim()) return;
  inbox.found = found?.tickets ?? null;
  $('searched').hidden = !found || found.searched >= found.total;
  if (found) $('searched').textContent = bound(found);
  tell('tickets');
}

const bound = ({ searched, total }) =>
  word(
    `Looked through the ${searched} newest of ${total}.`,
    `Đã tìm trong ${searched} trên ${total} yêu cầu, mới nhất trước.`,
  );

$('search').addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MS);
});
// What is found may have changed meanwhile.
addEventListener('news', () => inbox.found && search());
