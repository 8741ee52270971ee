/* What a history did, by kind: a proof that never took a path proves nothing of it. */

/** Each kind, and how often it happens at least in a thousand messages of customers. */
const FLOORS = {
  'turns decided while filing': 50,
  'turns of the worker': 100,
  'wake-ups': 10,
  claims: 50,
  'take-overs': 3,
  conflicts: 20,
  duplicates: 5,
  'full inboxes': 1,
  'dead letters': 0.3,
  'replies put off': 10,
  'replies held back': 0.3,
  'replies without room': 0.1,
  'turns put off for a lock': 0.3,
  'turns given back': 0.3,
  intents: 30,
  'intents taken up': 1,
  'intents looked up': 5,
  'operations without an answer': 3,
  'operations with staff': 0.1,
  'redemptions that wait for another': 0.5,
  'codes confirmed together': 0.5,
  'consents given': 1,
  'typed yeses': 5,
  'yeses that wait for no question': 5,
  forgotten: 1,
  tickets: 2,
  'answers of staff': 2,
  'tickets with two of staff': 0.5,
  'gifts handed over': 1,
  'gifts with two of staff': 0.3,
  'contrary decisions': 0.05,
  settlements: 0.3,
  'letters replayed': 0.3,
  kills: 2,
  'orderly stops': 2,
  failovers: 1,
  'answers lost': 3,
  'commands repeated': 5,
  'slow calls': 2,
  'clocks put back': 0.02,
  'hours put back': 0.1,
  'hiccups after a delivery': 0.5,
  'lists that failed': 5,
  'lists that hung': 5,
  'writes refused': 2,
  'commands that hung': 2,
  'records broken': 0.1,
  'records lost': 0.1,
  'alarms of broken records': 0.05,
  'alarms of lost records': 0.1,
  'outages of platforms': 0.5,
  'replies in an outage': 2,
  'replies told to wait': 1,
  'replies throttled': 2,
  'replies delivered with a fault': 2,
  'replies without an answer': 2,
  'replies without a connection': 2,
  'replies that end processes': 0.3,
  'replies sent as text alone': 0.1,
  'receipts kept': 0.03,
  'kept receipts told': 0.01,
  'calls applied': 20,
  'calls refused': 2,
  'calls without a connection': 2,
  'calls that never arrived': 0.5,
  'calls whose answer was lost': 0.3,
  'error bodies': 0.5,
  'server errors': 1,
  'records that show late': 0.5,
  'pages of another size': 1,
  'lists from the newest on': 5,
  'records of another clock': 2,
  'pages repeated': 0.1,
  'pages shifted': 0.1,
  'pages ignored': 0.3,
  'pages without end': 2,
  'fields missing': 1,
  'numbers as texts': 2,
  'entries of an unknown type': 0.3,
  'garbage in a 200': 0.5,
  redirects: 0.5,
  'huge answers': 0.5,
  'answers that came too late': 0.2,
  'waits that AntCRM asked for': 0.5,
  'answers of a cache': 0.3,
  'redemptions of cashiers': 1,
  'redemptions by e-mail': 0.5,
  'customers merged': 0.2,
  'alarms of pages': 0.1,
  'intents not replicated': 0.5,
  'slow intents': 0.5,
  'second locks busy': 0.05,
} as const;

export type Kind = keyof typeof FLOORS;

/** Why a breach is none, and how often at most that may be in a thousand messages of customers. */
const CEILINGS = {
  'excused by a loss of the store': 1,
  'excused by a reply given up': 1,
  'excused by a receipt kept': 1,
  'excused by a cashier': 1,
  'excused by two operators': 1,
  'excused by a customer forgotten': 1,
} as const;

export type Excuse = keyof typeof CEILINGS;

/** Alarms, replies, and results of turns, filings and deliveries that are counted. */
export const NAMED: Readonly<Record<string, Kind>> = {
  dead_letter: 'dead letters',
  operation_escalated: 'operations with staff',
  antcrm_pages: 'alarms of pages',
  seal_broken: 'alarms of broken records',
  record_lost: 'alarms of lost records',
  'operation.busy': 'redemptions that wait for another',
  'privacy.remembered': 'consents given',
  'privacy.erased': 'forgotten',
  'given-back': 'turns given back',
  duplicate: 'duplicates',
  full: 'full inboxes',
  'held back': 'replies held back',
  'no room': 'replies without room',
};

export type Counted = { readonly messages: number; readonly counts: Readonly<Record<string, number>> };

/** What some histories did together. */
export function sumOf(histories: readonly Counted[]): Counted {
  const sum = (of: (one: Counted) => number) => histories.reduce((total, one) => total + of(one), 0);
  const kinds = Object.keys({ ...FLOORS, ...CEILINGS }).map((kind) => [
    kind,
    sum(({ counts }) => counts[kind] ?? 0),
  ]);
  return { messages: sum(({ messages }) => messages), counts: Object.fromEntries(kinds) };
}

/** What is expected more rarely than this may stay away by chance: longer runs show it. */
const SURE = 3;

/** Kinds that happened more rarely than they must, and excuses that covered too much, a line each. */
export function underFloor({ counts, messages }: Counted): string[] {
  const of = (rate: number) => (rate * messages) / 1000;
  const few = Object.entries(FLOORS).flatMap(([kind, rate]) => {
    const times = counts[kind] ?? 0;
    const isEnough = of(rate) < SURE || times >= of(rate);
    return isEnough ? [] : [`too few ${kind}: ${times} in ${messages} messages`];
  });
  const many = Object.entries(CEILINGS).flatMap(([excuse, rate]) => {
    const times = counts[excuse] ?? 0;
    return times <= Math.max(SURE, of(rate)) ? [] : [`too much ${excuse}: ${times} in ${messages} messages`];
  });
  return [...few, ...many];
}
