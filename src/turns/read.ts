import { NewerVersion } from '../conversation/upgrades.ts';
import type { Observe } from '../observe.ts';
import type { Stored } from '../store/bodies.ts';
import type { Next } from '../store/mailbox.ts';
import { SealBroken } from '../store/seal.ts';
import { originOf, type Sealing } from '../store/sealing.ts';
import type { Incoming } from './delivery.ts';
import { type Foreign, LEFT_AGAIN_MS } from './foreign.ts';
import { GivenBack, type Held } from './leases.ts';
import type { TurnNotes } from './notes.ts';
import type { Asker } from './perform.ts';
import type { Conversation } from './steps.ts';

/** What a lease holder knows of its conversation; each commit brings it up to date. */
export type Session = {
  readonly held: Held;
  version: number;
  sealed: Buffer | null;
  /** `sealed`, opened, as soon as a turn needed it. */
  stored: Stored | null;
  /** What this process filed a moment ago, most often the head: it is not opened again. */
  readonly known: Known | undefined;
};

/** A message and what it was sealed as; no two are sealed alike. */
export type Known = { readonly body: Buffer; readonly incoming: Incoming };

/**
 * Why something became a dead letter, for operators: the turn threw, its leases expired too often, the message or the
 * state could not be read. The body is the message, or the state where there was none.
 */
export type DeadReason = 'threw' | 'attempts' | 'unreadable' | 'state';
export type Dead = { readonly reason: DeadReason; readonly body: Buffer };

/** What a turn starts from. `asker` is null where it is not known whom to answer. */
export type Reading = {
  readonly before: Stored;
  readonly asker: Asker | null;
  readonly unreadable: boolean;
  readonly dead: readonly Dead[];
};

/** What is to be answered, and where it is noted how that went. */
export type Turn = { readonly next: Next; readonly reading: Reading; readonly notes: TurnNotes };

export const channelOf = ({ reading: { asker, before } }: Pick<Turn, 'reading'>): string =>
  (asker ?? before).origin?.channel ?? 'unknown';

export const attemptsOf = ({ head, wake }: Next): number => (head ?? wake)?.attempts ?? 0;

/** What the turn has saved last, or what it started from. */
export const latestOf = ({ stored }: Session, { before }: Reading): Stored => stored ?? before;

export type ReadTools = {
  readonly sealing: Sealing;
  readonly conversation: Pick<Conversation, 'newState'>;
  readonly foreign: Foreign;
  readonly observe: Pick<Observe, 'alarm'>;
};

/**
 * Opens the state and the head. What cannot be read is reported, and becomes a dead letter. Throws only `GivenBack`, where
 * another process may be able to read it.
 */
export function read(session: Session, next: Next, tools: ReadTools): Reading {
  const { before, dead } = readState(session, next, tools);
  const { origin } = before;
  const bystander = origin === null ? null : { origin, sender: origin.sender, incoming: null };
  if (next.head === null) return { before, asker: bystander, unreadable: false, dead };

  const { known, held } = session;
  const { conversation } = held;
  const { body } = next.head;
  try {
    const incoming = known?.body.equals(body)
      ? known.incoming
      : tools.sealing.message.open(conversation, body);
    const asker = { origin: originOf(incoming), sender: incoming.sender, incoming };
    return { before, asker, unreadable: false, dead };
  } catch (error) {
    leaveIfNewer(error);
    alarmIfBroken(error, conversation, tools.observe);
    return { before, asker: bystander, unreadable: true, dead };
  }
}

function readState(session: Session, { nowMs }: Next, tools: ReadTools): Pick<Reading, 'before' | 'dead'> {
  const { held, sealed, stored } = session;
  if (stored !== null) return { before: stored, dead: [] };
  const fresh = () => ({ state: tools.conversation.newState(), origin: null, wakeAtMs: null });
  if (sealed === null) return { before: fresh(), dead: [] };
  try {
    const { unknownFlow, ...before } = tools.sealing.state.open(held.conversation, sealed);
    const { conversation } = held;
    const isLeft = unknownFlow && tools.foreign.isLeft({ conversation, version: session.version }, nowMs);
    if (isLeft) throw new GivenBack(LEFT_AGAIN_MS);
    return { before, dead: [] };
  } catch (error) {
    if (error instanceof GivenBack) throw error;
    leaveIfNewer(error);
    alarmIfBroken(error, held.conversation, tools.observe);
    return { before: fresh(), dead: [{ reason: 'state', body: sealed }] };
  }
}

/** What a newer process stored is for newer processes: throws `GivenBack`. */
export function leaveIfNewer(error: unknown): void {
  if (error instanceof NewerVersion) throw new GivenBack(LEFT_AGAIN_MS);
}

/** Something stored could not be opened: perhaps a key is missing. */
export function alarmIfBroken(error: unknown, conversation: string, observe: Pick<Observe, 'alarm'>): void {
  if (error instanceof SealBroken) observe.alarm('seal_broken', { conversation });
}
