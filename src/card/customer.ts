import type { HistoryRecord, HistoryType, Identifier, Outcome } from '../conversation/effect.ts';
import { tokenize, visible } from '../conversation/language/tokens.ts';
import { maskEmail, maskPhone, showPhone } from '../conversation/prompts/format.ts';
import type { Identity, State, Ticket } from '../conversation/state.ts';
import { findEmails, findPhones } from '../conversation/values/contact.ts';
import type { ReadForStaff } from '../loyalty/loyalty.ts';
import { waitAtMost } from '../resilience/deadline.ts';
import type { Runtime } from '../runtime.ts';

/* The customer of a ticket, as staff see them: who they are, what proves it, and what AntCRM has of them. */

/** `proved`: the channel or staff proved that it is the customer's. A typed one may be anybody's. */
export type KnownIdentifier = Identifier & { readonly proved: boolean };

/** `unread`: AntCRM was not asked. `slow`: it did not answer in time. `unreachable`: it cannot be asked. */
export type AntCrmState = 'ok' | 'slow' | 'unreachable' | 'unread';

/** What AntCRM has of a customer. `points: null`: AntCRM does not know the customer. */
export type Holdings = {
  readonly antcrm: AntCrmState;
  readonly points?: number | null | undefined;
  readonly rank?: string | undefined;
  readonly rankPoints?: number | undefined;
  readonly earned?: readonly HistoryRecord[] | undefined;
  readonly redeemed?: readonly HistoryRecord[] | undefined;
};

export const UNREAD: Holdings = { antcrm: 'unread' };

/** How long staff wait for AntCRM. */
const PATIENCE_MS = 5000;
/** Rows of each history. */
const ROWS = 10;
/** Typed values that are listed, the newest first. */
const MAX_TYPED = 5;

/** The customer's identifiers: proved ones first, then typed ones, the newest first. None is listed twice. */
export function findIdentifiers(state: State, ticket: Ticket): readonly KnownIdentifier[] {
  const drafts = [state.draft, ...(state.parked ?? []).map(({ draft }) => draft)];
  const known = [state.profile, ...drafts].flatMap(identifiersIn).concat(typedIn(ticket));
  const sorted = known.toSorted((a, b) => Number(b.proved) - Number(a.proved));
  return sorted.filter(
    ({ kind, value }, index) =>
      sorted.findIndex((other) => other.kind === kind && other.value === value) === index,
  );
}

function identifiersIn({ phone, email }: Identity): KnownIdentifier[] {
  return [
    ...(phone ? [{ kind: 'phone' as const, value: phone.value, proved: phone.proved }] : []),
    ...(email ? [{ kind: 'email' as const, value: email.value, proved: email.proved }] : []),
  ];
}

/** Phones and e-mails that the customer wrote in the ticket or right before it. */
function typedIn({ doing, led = [], notes }: Ticket): KnownIdentifier[] {
  const customerTexts = notes.flatMap(({ text, by }) => (by === undefined ? text : []));
  const texts = [doing?.phone ?? '', doing?.email ?? '', ...led, ...customerTexts];
  return texts.flatMap(contactsIn).slice(-MAX_TYPED).reverse();
}

/** No prefix of a word belongs to a number: "TIVI000000017" is a code. */
const NO_LABEL = /^$/;

function contactsIn(text: string): KnownIdentifier[] {
  const tokens = tokenize(visible(text));
  const phones = findPhones(tokens, NO_LABEL).flatMap(({ result: { value, ask } }) =>
    // A guess is a number that the customer did not write.
    ask === undefined ? { kind: 'phone' as const, value, proved: false } : [],
  );
  const emails = findEmails(tokens).flatMap(({ result }) =>
    result.ok ? { kind: 'email' as const, value: result.value, proved: false } : [],
  );
  return [...phones, ...emails];
}

/** An identifier in the form that staff read. */
export const showIdentifier = ({ kind, value }: Identifier): string =>
  kind === 'phone' ? showPhone(value) : value;

/** A masked identifier, which colleagues can still recognise. */
export const maskIdentifier = ({ kind, value }: Identifier): string =>
  kind === 'phone' ? maskPhone(value) : maskEmail(value);

type HoldingsReader = { readonly read: ReadForStaff; readonly runtime: Pick<Runtime, 'timer'> };

/** Reads what AntCRM has of a customer. What it does not answer in time is left out. */
export async function readHoldings(by: Identifier, { read, runtime }: HoldingsReader): Promise<Holdings> {
  const leaving = new AbortController();
  const ask = async (effect: Parameters<ReadForStaff>[0]): Promise<Outcome | 'slow'> => {
    const outcome = await waitAtMost(PATIENCE_MS, read(effect, leaving.signal), { runtime });
    return outcome === undefined || outcome === 'interrupted' ? 'slow' : outcome;
  };
  const askRows = (type: HistoryType) => ask({ kind: 'history', type, by, skip: 0, take: ROWS });
  try {
    const outcomes = await Promise.all([ask({ kind: 'balance', by }), askRows('point'), askRows('gift')]);
    const [balance, earned, redeemed] = outcomes;
    return {
      antcrm: stateOf(outcomes),
      ...pointsOf(balance),
      earned: recordsOf(earned),
      redeemed: recordsOf(redeemed),
    };
  } finally {
    // What is still being read ends with its page.
    leaving.abort();
  }
}

function stateOf(outcomes: readonly (Outcome | 'slow')[]): AntCrmState {
  if (outcomes.includes('slow')) return 'slow';
  const isDown = outcomes.some((outcome) => outcome !== 'slow' && outcome.kind === 'unavailable');
  return isDown ? 'unreachable' : 'ok';
}

function pointsOf(outcome: Outcome | 'slow'): Pick<Holdings, 'points' | 'rank' | 'rankPoints'> {
  if (outcome === 'slow') return {};
  if (outcome.kind === 'balance') {
    const { points, rank, rankPoints } = outcome;
    return { points, rank, rankPoints };
  }
  return outcome.kind === 'sums' && !outcome.partial ? { points: outcome.earned - outcome.spent } : {};
}

const recordsOf = (outcome: Outcome | 'slow') =>
  outcome !== 'slow' && outcome.kind === 'history' ? outcome.records : undefined;
