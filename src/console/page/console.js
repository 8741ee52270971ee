import { conversation, newName, send, turnTo } from './conversation.js';
import './inside.js';
import { $, choose, chosen, on, session, speak, tell, word } from './page.js';
import { compose } from './play.js';

/* Composer, language, panels, and how the page begins. */

const tabs = [...document.querySelectorAll('[role="tab"]')];

/** Shows one panel; where there is room, the chat is always shown beside it. */
function show(name) {
  document.body.dataset.panel = name;
  for (const tab of tabs) {
    const selected = tab.id === `tab-${name}`;
    tab.setAttribute('aria-selected', String(selected));
    tab.tabIndex = selected ? 0 : -1;
  }
}

/** Where one panel fills the screen: what was just sent, or waits in the composer, is in the chat. */
function showChat() {
  if (!wide.matches) show('chat');
}
on('sent', showChat);
on('compose', () => {
  showChat();
  $('text').focus();
});

/** Arrows, Home and End move between the tabs that are there. */
function moveTab(event) {
  const shown = tabs.filter((tab) => tab.offsetParent !== null);
  const at = shown.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: shown.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = shown.at(to % shown.length);
  show(next.id.replace('tab-', ''));
  next.focus();
}

/** With room for both, a panel beside the chat is chosen. */
const wide = matchMedia('(width >= 60rem)');
function settle() {
  if (wide.matches && document.body.dataset.panel === 'chat') show('inside');
}

for (const tab of tabs) {
  tab.addEventListener('click', () => show(tab.id.replace('tab-', '')));
  tab.addEventListener('keydown', moveTab);
}
wide.addEventListener('change', settle);

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const typed = $('text').value.trim();
  if (!typed) return;
  $('text').value = '';
  compose(typed);
  $('text').focus();
});

/** A photo that was chosen, pasted or dropped. */
async function sendPhoto(file) {
  if (!file) return;
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
  send({ photo: url.split(',')[1] }, `${word('photo')} · ${file.name}`);
}

$('picture').addEventListener('click', () => $('image').click());
$('image').addEventListener('change', () => {
  void sendPhoto($('image').files[0]);
  $('image').value = '';
});
document.addEventListener('paste', ({ clipboardData }) => void sendPhoto(clipboardData.files[0]));
for (const name of ['dragover', 'drop']) {
  $('chat').addEventListener(name, (event) => {
    event.preventDefault();
    if (name === 'drop') void sendPhoto(event.dataTransfer.files[0]);
  });
}

$('fresh').addEventListener('click', () => {
  turnTo(newName(), true);
  $('text').focus();
});

function changeLanguage() {
  session.set('locale', chosen('locale'));
  speak();
  tell('language');
}
for (const radio of document.querySelectorAll('input[name="locale"]'))
  radio.addEventListener('change', changeLanguage);

/** The language of the browser, where the bot speaks it; else the bot's first. */
function ofBrowser() {
  const spoken = [...document.querySelectorAll('input[name="locale"]')].map(({ value }) => value);
  const wanted = navigator.languages.map((tag) => tag.split('-', 1)[0]);
  return wanted.find((tag) => spoken.includes(tag)) ?? chosen('locale');
}

on('status', (name) => {
  $('status').dataset.word = name;
  $('status').textContent = word(name);
  $('status').className = name;
});

/** Where an hour, or a restart of the bot, has swept away the conversation that this tab remembers. */
function beginAnew() {
  const isEmpty = document.querySelector('.bot[data-key], .mine') === null;
  if (isEmpty && $('status').className === 'connected') turnTo(newName(), true);
}

choose('locale', session.get('locale', ofBrowser()));
choose('as', session.get('as', 'staff'));
changeLanguage();
show('chat');
settle();
if (conversation.name) {
  turnTo(conversation.name, false);
  setTimeout(beginAnew, 1500);
} else turnTo(newName(), true);
$('text').focus();
