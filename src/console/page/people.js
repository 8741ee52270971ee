import { $, addressParts, emit, exchange, goTo } from './page.js';
import { contentOf } from './tickets.js';

/* Who uses the page. A person of STAFF_PEOPLE is known by the token, and cannot write under another name. */

/** `name`: the person who signed in, if it is one. `people`: all names of STAFF_PEOPLE. */
export const staff = { name: undefined, people: [] };

/** The views that a person of STAFF_PEOPLE may use. */
const ALLOWED = ['#inbox', '#gift'];

async function readStaff() {
  Object.assign(staff, contentOf(await exchange('staff/me')));
  if (!staff.name) return;
  $('by').value = staff.name;
  $('by').readOnly = true;
  for (const link of document.querySelectorAll('nav a')) link.hidden ||= !ALLOWED.includes(link.hash);
  if (!ALLOWED.includes(`#${addressParts()[0]}`)) goTo('inbox');
  emit('tickets');
  emit('ticket', { isOther: false, isSame: true });
}
void readStaff();
