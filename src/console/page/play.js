import { repeat, send } from './conversation.js';
import { $, button, can, chosen, make, number, on, session, tell, word } from './page.js';
import { sharePhoneOf } from './transcript.js';
import { exchange, explain } from './webhook.js';

/* Play: whom to be, what makes it hard for the bot, and the sandbox. */

/** Texts kept back, to be sent at once; null: each goes at once. */
let kept = null;
const BURST = 5;

/** A typed text goes out, or waits for its companions. */
export function compose(text) {
  if (kept === null) return send({ text }, text);
  kept.push(text);
  if (kept.length < BURST) return showKept();
  const all = kept;
  keep(false);
  for (const one of all) send({ text: one }, one);
}

function keep(on) {
  kept = on ? [] : null;
  $('burst').setAttribute('aria-pressed', String(on));
  showKept();
}

function showKept() {
  $('kept').textContent = kept === null ? '' : `${kept.length}/${BURST}`;
}

/** Of a link its payload; a payload or a code goes as it is. */
function openLink(event) {
  event.preventDefault();
  const typed = $('link').value.trim();
  const start = /[?&]start=([^&#]*)/.exec(typed)?.[1] ?? (typed.includes('://') ? '' : typed);
  $('link').value = '';
  send({ start }, `/start ${start}`);
}

/** Shows what the chosen part can do. */
function become() {
  const { proof } = can();
  session.set('as', chosen('as'));
  $('who').dataset.word = `who.${proof}`;
  $('who').textContent = word(`who.${proof}`);
  $('profileField').hidden = proof !== 'profile';
  $('contacts').hidden = !('contacts' in can());
  $('other').hidden = proof === 'token';
}

const FAULTS = {
  'fault.redeem': { call: 'redeem', fault: 'lose-answer' },
  'fault.accumulate': { call: 'accumulate', fault: 'lose-answer' },
  'fault.slow': { call: 'redeem', fault: 'slow', ms: 3000 },
  // As often as the bot tries: one that it made up for would look like none.
  'fault.500': { call: 'history', fault: 'error-500', times: 3 },
};

const plan = (fault) => change('faults', fault);
const reset = () => change('reset', {});

async function change(what, body) {
  const answer = await exchange(`sandbox/${what}`, body);
  if (answer?.status !== 200)
    return tell('notice', { text: answer ? explain(answer.content) : word('failed') });
  tell('notice', { text: word(`${what}.done`), fault: false });
  void look();
}

/** Reads the sandbox's state; a real AntCRM has none. */
async function look() {
  const answer = await exchange('sandbox/state');
  $('sandbox').hidden = answer?.status !== 200;
  if (answer?.status !== 200) return;
  const { codes, gifts, customers, faults } = answer.content;
  $('codes').replaceChildren(...codes.map(codeOf));
  $('gifts').replaceChildren(
    ...gifts.map(({ names, score }) => pair(names[chosen('locale')], `${number(score)} ${word('points')}`)),
  );
  // The customer who earned last comes first, after the well-known one.
  const [known, ...others] = customers;
  $('customers').replaceChildren(...[known, ...others.toReversed()].map(customerOf));
  const planned = faults.map(({ call, fault, times }) => make('code', '', `${call}: ${fault} ×${times}`));
  $('planned').replaceChildren(
    ...(planned.length > 0 ? planned : [make('span', 'none', word('fault.none'))]),
  );
}

/** Of a range, "A … B", any: each code is good once. */
function codeOf(code) {
  const [first, last] = code.split(' … ');
  const pick = () => {
    const digits = /\d*$/.exec(first)[0];
    const any = String(1 + Math.floor(Math.random() * Number(last?.slice(-3) ?? 0))).padStart(
      digits.length,
      '0',
    );
    $('text').value = last ? first.slice(0, -digits.length) + any : first;
    tell('compose');
  };
  return button(code, pick, 'code');
}

function customerOf({ name, phones, emails, scoreAvailable, rankName }) {
  const who = [name, phones[0]?.value, emails[0]?.value].filter(Boolean).join(' · ');
  return pair(who, `${number(scoreAvailable)} ${word('points')} · ${rankName}`);
}

const pair = (name, value) => make('li', '', make('span', '', name), make('b', '', value));

for (const name of Object.keys(FAULTS))
  document.querySelector(`[data-word="${name}"]`).addEventListener('click', () => plan(FAULTS[name]));
$('reset').addEventListener('click', reset);
$('own').addEventListener('click', sharePhoneOf(true));
$('other').addEventListener('click', sharePhoneOf(false));
$('repeat').addEventListener('click', repeat);
$('burst').addEventListener('click', () => keep(kept === null));
$('deep').addEventListener('submit', openLink);
for (const element of document.querySelectorAll('[data-unknown]')) {
  const { unknown } = element.dataset;
  element.addEventListener('click', () => send({ unknown }, word(unknown)));
}
$('roles').addEventListener('change', () => {
  become();
  const channel = document.querySelector('input[name="as"]:checked + span').textContent;
  tell('notice', { text: `${word('plays')} ${channel}`, fault: false });
});

on('fresh', () => keep(false));
on('turn', () => void look());
on('language', () => {
  become();
  void look();
});
