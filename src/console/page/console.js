import { beginIfForgotten, turnTo } from './chat.js';
import './inbox.js';
import './inside.js';
import './play.js';
import { $, speak, tell } from './page.js';

/* Which view is shown, the language, and how the page begins. */

const wide = matchMedia('(width >= 60rem)');

/** The view that the address names; where there is room, the chat is always shown, and another one beside it. */
function show() {
  const named = location.hash.slice(1) || 'chat';
  const view = named === 'chat' && wide.matches ? 'inside' : named;
  for (const panel of document.querySelectorAll('.panel')) panel.hidden = panel.id !== view;
  $('chat').hidden = view !== 'chat' && !wide.matches;
  for (const link of document.querySelectorAll('nav a'))
    link.setAttribute('aria-current', String(link.hash === `#${view}`));
}
addEventListener('hashchange', show);
wide.addEventListener('change', show);

function changeLanguage() {
  sessionStorage.locale = $('locale').value;
  speak();
  tell('language');
}
$('locale').addEventListener('change', changeLanguage);

$('fresh').addEventListener('click', () => {
  turnTo();
  $('text').focus();
});

/** The language of the browser, where the bot speaks it; else the bot's first. */
function ofBrowser() {
  const spoken = [...$('locale').options].map(({ value }) => value);
  const wanted = navigator.languages.map((tag) => tag.split('-', 1)[0]);
  return wanted.find((tag) => spoken.includes(tag)) ?? spoken[0];
}

$('locale').value = sessionStorage.locale ?? ofBrowser();
$('as').value = sessionStorage.as ?? 'staff';
show();
changeLanguage();
turnTo(sessionStorage.conversation);
setTimeout(beginIfForgotten, 1500);
$('text').focus();
