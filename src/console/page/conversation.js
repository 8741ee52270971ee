import { $, can, chosen, random, session, tell, word } from './page.js';
import { call, eventsOf, exchange, explain, signIn } from './webhook.js';

/**
 * The conversation at hand. It tells: `fresh` (another one begins), `sent` ({ id, message, label }), `reply` (each
 * once, in order of arrival), `turn` ({ turn, keys, trace }) when the last reply of a turn is here,
 * `pending` (how many messages wait for their answer), `notice` ({ text, again }) and `status` (a word's name).
 */
export const conversation = { name: session.get('conversation', '') };

let following = new AbortController();
/** The `seq` of every reply seen: answers and events carry the same ones. */
let seen = new Set();
/** The ids of the messages whose turn is under way. */
let pending = new Set();
/** The keys of the replies of each turn under way. */
let turns = new Map();
let last = null;

export const newName = () => `console-${random(2)}`;

/** Turns to the conversation of that name; a new one is opened as a customer would. */
export function turnTo(name, isNew) {
  conversation.name = name;
  session.set('conversation', name);
  seen = new Set();
  turns = new Map();
  pending = new Set();
  last = null;
  tell('fresh');
  tell('pending', 0);
  void follow();
  if (isNew) send({ start: '' });
}

/** What every message carries. */
function manner() {
  const email = $('profile').value.trim();
  const name = $('name').value.trim();
  return {
    conversation: conversation.name,
    trace: true,
    locale: chosen('locale'),
    as: chosen('as'),
    ...(name && { name }),
    ...(can().proof === 'profile' && email && { profile: { email } }),
  };
}

/** Sends one message; `label` is how it is shown. */
export function send(message, label, item) {
  const body = { ...manner(), ...message, id: random(4) };
  last = body;
  tell('sent', { id: body.id, message, label, item });
  void post(body);
}

/** The very same message again: it must count once. */
export function repeat() {
  if (last) void post(last);
}

/** After a cut connection the repeat carries the same id, so that it counts once. */
async function post(body) {
  pending.add(body.id);
  tell('pending', pending.size);
  const answer = await exchange('webhooks/staff', body);
  if (body.conversation !== conversation.name) return;
  if (answer?.status === 200) accept(body.id, answer.content);
  else {
    end(body.id);
    if (answer?.status === 401) signIn(() => post(body));
    else if (answer) tell('notice', { text: explain(answer.content) });
    else tell('notice', { text: word('failed'), again: () => post(body) });
  }
}

function accept(id, { status, replies, trace }) {
  if (status === 'queued') return tell('status', 'queued');
  if (status === 'duplicate') {
    tell('notice', { text: word('duplicate') });
    return end(id);
  }
  for (const [at, reply] of replies.entries()) {
    const isLast = at === replies.length - 1;
    receive({ ...reply, turn: id, last: isLast, ...(isLast && { trace }) });
  }
}

function receive(event) {
  if (seen.has(event.seq)) return;
  seen.add(event.seq);
  const { turn = '', key, trace } = event;
  const keys = [...(turns.get(turn) ?? []), key];
  turns.set(turn, keys);
  tell('reply', event);
  if (!event.last) return;
  turns.delete(turn);
  tell('turn', { turn, keys, trace });
  end(turn);
}

function end(id) {
  if (pending.delete(id)) tell('pending', pending.size);
}

/** Follows the conversation, reconnecting forever; what was missed comes first. */
async function follow() {
  following.abort();
  const mine = new AbortController();
  following = mine;
  let after = 0;
  for (let pauseMs = 1000; !mine.signal.aborted; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      const response = await call(`webhooks/staff/${conversation.name}/events`, {
        headers: { 'last-event-id': String(after) },
        signal: mine.signal,
      });
      if (response.status === 401) return signIn(follow);
      if (response.ok) {
        tell('status', 'connected');
        pauseMs = 1000;
        for await (const event of eventsOf(response)) {
          after = event.seq;
          receive(event);
        }
      }
    } catch {
      // A cut connection: the next round resumes after the last event seen.
    }
    if (mine.signal.aborted) return;
    tell('status', 'connecting');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
