import { drawComposer, target } from './composer.js';
import { addToMessages } from './conversation.js';
import { $, make } from './page.js';
import { staff } from './people.js';
import { addToRows } from './ticket-list.js';
import { inbox, post } from './tickets.js';
import { word } from './words.js';

/* Teamwork: notes that customers never see, and tickets assigned to a colleague. */

function chooseKind(isNote) {
  $('noting').ariaPressed = String(isNote);
  target.route = isNote ? 'notes' : 'messages';
  $('answer').classList.toggle('noting', isNote);
  drawComposer();
}

/** Lists the names that a ticket can be assigned to: people of STAFF_PEOPLE, and others who have tickets. */
function drawColleagues() {
  const owners = inbox.tickets.flatMap(({ claimedBy, assignedTo }) => [claimedBy, assignedTo]);
  const names = new Set([...staff.people, ...owners].filter(Boolean));
  names.delete(inbox.open?.claimedBy);
  names.delete(inbox.open?.assignedTo);
  const [title] = $('assign').options;
  $('assign').replaceChildren(title, ...[...names].sort().map((name) => new Option(name)));
  $('assign').hidden = names.size === 0 || inbox.open?.state === 'closed';
}

$('noting').addEventListener('click', () => {
  chooseKind($('noting').ariaPressed === 'false');
  $('reply').focus();
});
$('assign').addEventListener('change', async () => {
  const to = $('assign').value;
  $('assign').selectedIndex = 0;
  if (to) await post(inbox.open.id, 'assign', { to });
});
addToMessages(({ note }) => {
  if (!note) return null;
  return make('small', 'inner', word('Note, customers never see it', 'Ghi chú nội bộ, khách không thấy'));
});
addToRows(({ assignedTo }) => assignedTo && `${word('for', 'giao cho')} ${assignedTo}`);
addEventListener('ticket', ({ detail: { isOther } }) => {
  if (!inbox.open) return;
  // In another ticket the mode starts anew, so that no answer becomes a note by mistake.
  if (isOther) chooseKind(false);
  drawColleagues();
});
