import { notice, sharePhoneOf } from './chat.js';
import { listOf } from './inside.js';
import { $, button, can, exchange, explain, number, showChat, word } from './page.js';

/* Play: whom to be, and AntCRM's sandbox, where the bot has one. */

/** What is believed of the customer, by how the part that is played can prove it. */
const BELIEVED = {
  token: 'Phones and e-mails you send are believed at once.',
  contact: 'Only the customer’s own number, shared by button, is believed.',
  profile: 'The profile’s e-mail is believed; the bot may send a form.',
};

/** Shows what the chosen part can do. */
function become() {
  const { proof } = can();
  sessionStorage.as = $('as').value;
  $('who').textContent = word(BELIEVED[proof]);
  $('ofProfile').hidden = proof !== 'profile';
  for (const element of document.querySelectorAll('.ofContacts')) element.hidden = !('contacts' in can());
  $('other').hidden = proof === 'token';
}

const FAULTS = {
  'Lose the next redeem’s answer': { call: 'redeem', fault: 'lose-answer' },
  'Lose the next accumulate’s answer': { call: 'accumulate', fault: 'lose-answer' },
  'Redeem takes 3 seconds': { call: 'redeem', fault: 'slow', ms: 3000 },
  // As often as the bot tries: one that it made up for would look like none.
  'History answers 500': { call: 'history', fault: 'error-500', times: 3 },
};

async function change(what, body, done) {
  const answer = await exchange(`sandbox/${what}`, body);
  if (answer?.status !== 200) return notice(explain(answer));
  notice(word(done), 'soft');
  void look();
}

/** Reads the sandbox's state; a real AntCRM has none. */
async function look() {
  const answer = await exchange('sandbox/state');
  $('sandbox').hidden = answer?.status !== 200;
  if (answer?.status !== 200) return;
  const { codes, customers, faults } = answer.content;
  $('codes').replaceChildren(...codes.map(codeOf));
  // The customer who earned last comes first, after the well-known one.
  const [known, ...others] = customers;
  const pairs = [known, ...others.toReversed()].map(({ name, phones, emails, scoreAvailable, rankName }) => {
    const ids = [phones[0]?.value, emails[0]?.value];
    const points = `${number(scoreAvailable)} ${word('points')}`;
    return [name, [points, rankName, ...ids].filter(Boolean).join(' · ')];
  });
  $('customers').replaceChildren(listOf(pairs));
  const plans = Object.entries(FAULTS).map(([name, fault]) =>
    button(word(name), () => change('faults', fault, 'The fault is planned.')),
  );
  $('faults').replaceChildren(...plans);
  const planned = faults.map(({ call, fault, times }) => `${call}: ${fault} ×${times}`);
  $('planned').textContent = planned.join(', ') || word('No fault is planned.');
}

/** Puts a code into the composer; of a range, "A … B", any: each code is good once. */
function codeOf(code) {
  return button(code, () => {
    const [first, last] = code.split(' … ');
    const any = 1 + Math.floor(Math.random() * Number(last?.slice(-3)));
    $('text').value = last ? first.slice(0, -3) + String(any).padStart(3, '0') : first;
    showChat();
    $('text').focus();
  });
}

$('reset').addEventListener('click', () => change('reset', {}, 'The AntCRM sandbox is as it was.'));
$('own').addEventListener('click', () => sharePhoneOf(true));
$('other').addEventListener('click', () => sharePhoneOf(false));
$('as').addEventListener('change', () => {
  become();
  const name = $('as').selectedOptions[0].text;
  notice(`${word('From now on you act as:')} ${name}. ${$('who').textContent}`, 'soft');
});
addEventListener('turn', () => void look());
become();
void look();
