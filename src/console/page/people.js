import { $, exchange, goTo, place, tell } from './page.js';
import { contentOf } from './tickets.js';

/* Who works here: a person of STAFF_PEOPLE is known by the token, and writes under no other name. */

/** `name`: the person, if it is one; `people`: all who can sign in so. */
export const staff = { name: undefined, people: [] };

/** The views of a person. */
const OPEN = ['#inbox', '#gift'];

async function readStaff() {
  Object.assign(staff, contentOf(await exchange('staff/me')));
  if (!staff.name) return;
  $('by').value = staff.name;
  $('by').readOnly = true;
  for (const link of document.querySelectorAll('nav a')) link.hidden ||= !OPEN.includes(link.hash);
  if (!OPEN.includes(`#${place()[0]}`)) goTo('inbox');
  tell('tickets');
  tell('ticket', { isOther: false, isSame: true });
}
void readStaff();
