import { $ } from './page.js';
import { inbox, isOthers } from './tickets.js';
import { word } from './words.js';

/* A sound and a notification of the browser, where staff switched them on. Neither says who wrote, or what. */

const NEWS = {
  opened: word('New customer', 'Khách mới'),
  message: word('New message', 'Tin nhắn mới'),
};
let audio;
let rungMs = 0;

const isOn = () => localStorage.notice === 'on';

/** A short tone. Browsers play none before somebody has pressed something. */
function ring() {
  // What comes together rings once.
  if (Date.now() - rungMs < 1000) return;
  rungMs = Date.now();
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.connect(volume).connect(audio.destination);
  volume.gain.setValueAtTime(0.3, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
  tone.frequency.value = 880;
  tone.start();
  tone.stop(audio.currentTime + 0.6);
}

function notify(id, title) {
  try {
    // A later one of the same ticket takes the place of the one before.
    const shown = new Notification(title, { body: id, tag: id, renotify: true });
    shown.onclick = () => {
      focus();
      location.hash = `inbox/${id}`;
      shown.close();
    };
  } catch {
    // Chrome on Android shows none of pages: the sound remains.
  }
}

async function change() {
  localStorage.notice = isOn() ? 'off' : 'on';
  draw();
  if (!isOn()) return;
  ring();
  await globalThis.Notification?.requestPermission();
  draw();
}

function draw() {
  $('notice').ariaPressed = String(isOn());
  $('soundOnly').hidden = !isOn() || globalThis.Notification?.permission === 'granted';
}

addEventListener('news', ({ detail: { ticket, what } }) => {
  if (!isOn() || !NEWS[what] || document.hasFocus()) return;
  const open = inbox.tickets.find(({ id }) => id === ticket);
  if (open && isOthers(open)) return;
  ring();
  notify(ticket, NEWS[what]);
});
$('notice').addEventListener('click', change);
draw();
