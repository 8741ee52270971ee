import { WORDS } from './words.js';

export const $ = (id) => document.getElementById(id);

/** What this tab remembers, and no longer: conversation, language, whom to act as, token. */
export const session = {
  get: (name, otherwise) => sessionStorage.getItem(name) ?? otherwise,
  set: (name, value) => sessionStorage.setItem(name, value),
};

const checked = (name) => document.querySelector(`input[name="${name}"]:checked`);
/** The chosen value of a group of radio buttons. */
export const chosen = (name) => checked(name).value;
/** What the role that we act in can do. */
export const can = () => checked('as').dataset;

export function choose(name, value) {
  const radio = document.querySelector(`input[name="${name}"][value="${value}"]`);
  if (!radio || radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event('change', { bubbles: true }));
}

/** A language that the page itself does not speak yet reads English. */
export const word = (name) => (WORDS[chosen('locale')] ?? WORDS.en)[name];

/** What the bot calls a flow in the chosen language. */
export const named = (flow) => JSON.parse(checked('locale').dataset.flows)[flow] ?? flow;

/** An element with its class and content; a content of null is left out. */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content.filter((one) => one !== null));
  return element;
}

/** An element whose wording follows the language. */
export function worded(tag, className, name) {
  const element = make(tag, className, word(name));
  element.dataset.word = name;
  return element;
}

export function button(label, onClick, className = '') {
  const element = make('button', className, label);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

/** Puts the wording of the chosen language everywhere. */
export function speak() {
  document.documentElement.lang = chosen('locale');
  for (const element of document.querySelectorAll('[data-word]'))
    element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', word(element.dataset.label));
  for (const element of document.querySelectorAll('[data-hint]'))
    element.placeholder = word(element.dataset.hint);
  document.title = `AntCRM · ${word('title')}`;
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(chosen('locale'), { maximumFractionDigits: digits }).format(value);

export const milliseconds = (ms) => `${number(ms, ms < 10 ? 1 : 0)} ms`;

export const random = (parts) => crypto.getRandomValues(new Uint32Array(parts)).join('-');

/** Listeners, by the name of what happens. */
const listeners = new Map();
export const on = (what, listener) => listeners.set(what, [...(listeners.get(what) ?? []), listener]);
export const tell = (what, about) => {
  for (const listener of listeners.get(what) ?? []) listener(about);
};
