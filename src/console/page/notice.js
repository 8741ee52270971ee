import { $ } from './page.js';
import { inbox, isOthers } from './tickets.js';
import { word } from './words.js';

/* A sound and a browser notification, if staff switched them on. Neither says who wrote, or what. */

const NEWS = {
  opened: word('New customer', 'Khách mới'),
  message: word('New message', 'Tin nhắn mới'),
};
let audio;
let lastRingMs = 0;

const isOn = () => localStorage.notice === 'on';

/** Plays a short tone. Browsers play none before the first press on the page. */
function ring() {
  // Messages that come together ring once.
  if (Date.now() - lastRingMs < 1000) return;
  lastRingMs = Date.now();
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
    // The tag replaces an earlier notification of the same ticket.
    const shown = new Notification(title, { body: id, tag: id, renotify: true });
    shown.onclick = () => {
      focus();
      location.hash = `inbox/${id}`;
      shown.close();
    };
  } catch {
    // Chrome on Android shows no notification of a page. The sound remains.
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
