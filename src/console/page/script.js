import { newName, send, turnTo } from './conversation.js';
import { $, choose, chosen, make, on, tell, word } from './page.js';
import { exchange } from './webhook.js';

/*
 * Record and replay. A script (src/cli/script.ts) is steps: what was sent with the keys of the replies, what the bot said
 * later of itself, the sandbox's faults and resets. It is written from what the webhook tells: a reload does not matter.
 */

let steps = [];
/** The view of the question that each step asked, by the step's place. */
let views = [];
/** The choices offered last: a script says `confirm`, the button carries a one-time id. */
let offered = [];
/** The smallest picture there is, without a code: what a recorded photo showed is not kept. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export function note(step) {
  steps.push(step);
}

function record({ turn, keys, trace, view }) {
  if (!turn || !trace?.message) {
    const step = steps.findLast(({ send }) => send);
    if (step) step.later = [...(step.later ?? []), ...keys];
    return;
  }
  const place = steps.push({ send: { ...sendOf(trace), ...mannerOf(trace.sender) }, keys }) - 1;
  views[place] = view;
}

function sendOf({ message: { kind, view, ...fields }, before }) {
  switch (kind) {
    case 'text':
      return { text: fields.text };
    case 'choice': {
      const choice = fields.choice.replace(/^confirm:.*/, 'confirm');
      const of = view && view !== before.view ? views.indexOf(view) : -1;
      return of < 0 ? { choice } : { choice, of };
    }
    case 'contact':
      return { contact: fields };
    case 'form':
      return { form: fields };
    case 'start':
      return { start: fields.payload ?? '' };
    case 'photo': {
      // The codes of a picture count as typed ones.
      const codes = fields.pictures.flatMap(({ texts = [] }) => texts);
      return codes.length > 0 ? { text: codes.join(' ') } : { photo: PIXEL };
    }
    default:
      return { unknown: fields.what };
  }
}

function mannerOf({ channel, locale, name, email }) {
  return {
    ...(channel !== 'staff' && { as: channel }),
    ...(locale && { locale }),
    ...(name && { name }),
    ...(email && { profile: { email } }),
  };
}

function save() {
  const about = steps.find(({ send }) => send?.text)?.send.text ?? '';
  const text = `${JSON.stringify({ about, steps }, null, 2)}\n`;
  const link = make('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = 'script.json';
  link.click();
  URL.revokeObjectURL(link.href);
}

async function replay(file) {
  const script = await file
    .text()
    .then(JSON.parse)
    .catch(() => null);
  if (!Array.isArray(script?.steps)) return tell('notice', { text: word('replay.bad') });
  await turnTo(newName(), false);
  const questions = [];
  for (const [at, step] of script.steps.entries()) {
    const keys = await perform(step, questions);
    questions[at] = offered;
    const wanted = [...(step.keys ?? []), ...(step.later ?? [])];
    if (JSON.stringify(keys) === JSON.stringify(wanted)) continue;
    const text = `${word('replay.differs')} ${at + 1}:\n− ${wanted.join(', ')}\n+ ${keys.join(', ')}`;
    return tell('notice', { text });
  }
  tell('notice', { text: word('replay.same'), fault: false });
}

/** The keys that came of a step. */
async function perform({ reset, fault, send: message, later = [] }, questions) {
  if (reset) await exchange('sandbox/reset', {});
  if (fault) await exchange('sandbox/faults', fault);
  if (reset || fault) note(reset ? { reset } : { fault });
  if (!message) return [];
  const { as = 'staff', locale, name, profile, of, ...content } = message;
  choose('as', as);
  $('name').value = name ?? '';
  $('profile').value = profile?.email ?? '';
  if (content.choice) content.choice = pressOf(content.choice, of === undefined ? offered : questions[of]);
  const unasked = later.length > 0 ? waitFor(later.length) : [];
  const keys = await send({ locale: locale ?? chosen('locale'), ...content }, content.choice?.split('~')[0]);
  return [...keys, ...(await unasked)];
}

/** The id, with its view, of the button that a script means. */
function pressOf(id, { choices = [], view } = {}) {
  const whole = choices.find((one) => one.id === id || one.id.startsWith(`${id}:`))?.id ?? id;
  return view ? `${whole}~${view}` : whole;
}

/** The keys of this many unasked replies; waits half a minute at most. */
function waitFor(count) {
  const keys = [];
  return new Promise((resolve) => {
    setTimeout(() => resolve(keys), 30_000);
    waiting = (more) => keys.push(...more) >= count && resolve(keys);
  });
}
let waiting = () => {};

on('fresh', () => {
  steps = [];
  views = [];
  offered = [];
});
on('reply', ({ choices, view }) => {
  if (choices?.length) offered = { choices, view };
});
on('turn', (turn) => {
  record(turn);
  if (!turn.turn) waiting(turn.keys);
});
$('save').addEventListener('click', save);
$('replay').addEventListener('click', () => $('script').click());
$('script').addEventListener('change', () => {
  const [file] = $('script').files;
  $('script').value = '';
  if (file) void replay(file);
});
