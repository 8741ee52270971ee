import type { Message } from '../../src/conversation/message.ts';
import type { Breach, Event } from './world.ts';

/* The story of a failure: of all that happened in a history, the lines that concern what a breach names. */

const MOST_LINES = 80;
/** Conversations, updates and operations, as breaches and events name them. */
const NAMES = /\bchat-\d+\b|\bupdate-\d+\b|\b[0-9A-HJKMNP-TV-Z]{10}\b/g;
const CONCERNS_ALL = /^(process|the store) /;

const namesIn = (text: string): string[] => text.match(NAMES) ?? [];

/** What a customer does with this message. */
export function describeMessage(message: Message): string {
  switch (message.kind) {
    case 'text':
      return `writes "${message.text}"`;
    case 'choice':
      return `presses ${message.choice}`;
    case 'contact':
      return `shares the phone ${message.phone}`;
    default:
      return JSON.stringify(message);
  }
}

/**
 * The events that concern the conversations and operations which the breaches name, with the ends of
 * processes and the failovers between them. Long stories lose their beginning.
 */
export function tellStory(events: readonly Event[], breaches: readonly Breach[]): string[] {
  const named = new Set(breaches.flatMap(({ what }) => namesIn(what)));
  // Who sends the update, or presses the button of the operation, is concerned, too.
  for (const { what } of events) {
    const names = namesIn(what);
    if (/ sends /.test(what) && names.some((name) => named.has(name)))
      for (const name of names) named.add(name);
  }
  const concerns = ({ what }: Event) => namesIn(what).some((name) => named.has(name));
  const first = events.findIndex(concerns);
  const last = events.findLastIndex(concerns);
  const lines = events
    .slice(Math.max(first, 0), last + 1)
    .filter((event) => concerns(event) || CONCERNS_ALL.test(event.what))
    .map(({ atMs, what }) => `${(atMs / 1000).toFixed(3).padStart(9)} s  ${what}`);
  return lines.length > MOST_LINES ? ['        …', ...lines.slice(-MOST_LINES)] : lines;
}
