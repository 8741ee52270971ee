import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Stored } from './bodies.ts';

/*
 * A conversation's record, in the shape that transitions work on, and how it is written. What is sealed into the store:
 *
 *   envelope's length (4 bytes) | ids' length (2 bytes) | envelope (JSON) | ids (8 bytes each) | state (the rest)
 *
 * The envelope is read loosely, for ever: an older process files messages into what a newer one wrote, and carries along
 * what it does not know. The state is read by those who take a lease, and by nobody who only files.
 */

/** A message that was accepted and is not answered. `mark`: the nonce of the accept that filed it. */
const messageSchema = z.looseObject({
  seq: z.number(),
  id: z.string(),
  mark: z.string(),
  body: z.unknown(),
});

/** A reply that is not delivered, or whatever else a commit left to be done. `asks`: it is a question. */
const outboxSchema = z.looseObject({
  seq: z.number(),
  body: z.unknown(),
  asks: z.literal(true).optional(),
});

/** A call that may have been made; `by` is the attempt that may make it. Without `outcome` nobody knows how it ended. */
const callSchema = z.looseObject({
  by: z.string(),
  atMs: z.number(),
  body: z.unknown(),
  outcome: z.unknown().optional(),
});

/**
 * The right to work on the conversation. `owner`: a fresh nonce; `step`: the number of the holder's last change;
 * `takeover`: the lease before it ran out; `handed`: a release handed over what is at hand.
 */
const leaseSchema = z.looseObject({
  owner: z.string(),
  untilMs: z.number(),
  step: z.number(),
  takeover: z.literal(true).optional(),
  handed: z.literal(true).optional(),
});

/** Sends of the first reply that the platform perhaps took: how many, and when the first was. */
const triedSchema = z.looseObject({ times: z.number(), sinceMs: z.number() });

/** What no turn could be made of, for operators. */
const letterSchema = z.looseObject({
  id: z.string(),
  atMs: z.number(),
  reason: z.string(),
  body: z.unknown(),
});

/** An entry of an index that the state asks for; `part` stands behind the conversation's name in the member. */
const listedSchema = z.looseObject({ index: z.string(), part: z.string().optional(), score: z.number() });

const envelopeSchema = z.looseObject({
  /** The newest version of all that is kept: it only rises. */
  schema: z.number().default(0),
  inbox: z.array(messageSchema).default([]),
  /** Number of the last message that was filed; what it was when a question was last delivered. */
  inSeq: z.number().default(0),
  knew: z.number().default(0),
  outbox: z.array(outboxSchema).default([]),
  /** Number of the last reply. */
  outSeq: z.number().default(0),
  /** By operation. */
  journal: z.record(z.string(), callSchema).default({}),
  lease: leaseSchema.nullable().default(null),
  /** Leases that ran out since the last commit, and releases that handed over the same once more. */
  attempts: z.number().default(0),
  /** When the state asked to be woken; 0: never. */
  wakeMs: z.number().default(0),
  /** No message is answered and no reply sent before this; no new message brings that forward beyond `earliestMs`. */
  notBeforeMs: z.number().default(0),
  earliestMs: z.number().default(0),
  tried: triedSchema.nullable().default(null),
  /** When the first reply was made that had to be put off; 0: none had to be. */
  undeliveredMs: z.number().default(0),
  /** Messages that found the inbox full, of which no turn was told. */
  dropped: z.number().default(0),
  dead: z.array(letterSchema).default([]),
  listed: z.array(listedSchema).default([]),
});

export type InboxMessage = Readonly<Known<z.infer<typeof messageSchema>>>;
export type OutboxEntry = Readonly<Known<z.infer<typeof outboxSchema>>>;
export type PendingCall = Readonly<Known<z.infer<typeof callSchema>>>;
export type Holder = Readonly<Known<z.infer<typeof leaseSchema>>>;
export type Tried = Readonly<Known<z.infer<typeof triedSchema>>>;
export type Letter = Readonly<Known<z.infer<typeof letterSchema>>>;
export type Listed = Readonly<Known<z.infer<typeof listedSchema>>>;

/** Without the index signature of what is carried along: a name that is not known is a mistake. */
type Known<T> = { [Name in keyof T as string extends Name ? never : Name]: T[Name] };

export type Envelope = {
  readonly schema: number;
  readonly inbox: readonly InboxMessage[];
  readonly inSeq: number;
  readonly knew: number;
  readonly outbox: readonly OutboxEntry[];
  readonly outSeq: number;
  readonly journal: Readonly<Record<string, PendingCall>>;
  readonly lease: Holder | null;
  readonly attempts: number;
  readonly wakeMs: number;
  readonly notBeforeMs: number;
  readonly earliestMs: number;
  readonly tried: Tried | null;
  readonly undeliveredMs: number;
  readonly dropped: number;
  readonly dead: readonly Letter[];
  readonly listed: readonly Listed[];
};

/**
 * All that is kept of a conversation. `seen`: ids of the last messages (`remember`); `state`: the dialogue's, as JSON;
 * `stored`: the same, read, where this process wrote it a moment ago.
 */
export type ConversationRecord = Envelope & {
  readonly seen: Buffer;
  readonly state: string | null;
  readonly stored?: Stored | undefined;
};

const NOTHING: Omit<ConversationRecord, 'outSeq'> = {
  ...{ schema: 0, inbox: [], inSeq: 0, knew: 0, outbox: [], journal: {}, lease: null, attempts: 0 },
  ...{ wakeMs: 0, notBeforeMs: 0, earliestMs: 0, tried: null, undeliveredMs: 0, dropped: 0, dead: [] },
  listed: [],
  ...{ seen: Buffer.alloc(0), state: null },
};

/**
 * The record of a conversation that nobody has heard of, or whose record was lost. Its replies are numbered on from the
 * clock's milliseconds, which no count has come to: a number that was given before must not come again.
 */
export function newRecord(nowMs: number): ConversationRecord {
  return { ...NOTHING, outSeq: nowMs };
}

const HEADER_BYTES = 6;

export function writeRecord({ seen, state, stored: _, ...envelope }: ConversationRecord): Buffer {
  const said: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(envelope)) {
    if (!(name in NOTHING && isNothing(value))) said[name] = value;
  }
  const text = JSON.stringify(said);
  const [textBytes, stateBytes] = [Buffer.byteLength(text), state === null ? 0 : Buffer.byteLength(state)];
  const plain = Buffer.allocUnsafe(HEADER_BYTES + textBytes + seen.length + stateBytes);
  plain.writeUInt32BE(textBytes, 0);
  plain.writeUInt16BE(seen.length, 4);
  plain.write(text, HEADER_BYTES);
  seen.copy(plain, HEADER_BYTES + textBytes);
  if (state !== null) plain.write(state, HEADER_BYTES + textBytes + seen.length);
  return plain;
}

/** What reads as it was, though it is not written. */
function isNothing(value: unknown): boolean {
  if (value === 0 || value === null) return true;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** Throws where it is none of ours. */
export function readRecord(plain: Buffer): ConversationRecord {
  const seenAt = HEADER_BYTES + plain.readUInt32BE(0);
  const stateAt = seenAt + plain.readUInt16BE(4);
  if (stateAt > plain.length) throw new RangeError('a record is cut off');
  return {
    ...envelopeSchema.parse(JSON.parse(plain.toString('utf8', HEADER_BYTES, seenAt))),
    seen: plain.subarray(seenAt, stateAt),
    state: stateAt === plain.length ? null : plain.toString('utf8', stateAt),
  };
}

/*
 * The memory of messages: 6 bytes of an id's hash, and the hour in which it was filed (2 bytes).
 */

const ENTRY_BYTES = 8;
const ID_BYTES = 6;
const HOUR_MS = 3_600_000;
const REMEMBERED = 64;
const REMEMBERED_HOURS = 48;

const hourOf = (nowMs: number): number => Math.floor(nowMs / HOUR_MS) & 0xffff;

/** What is kept of a message's id. */
export const traceOf = (id: string): Buffer => hash('sha256', id, 'buffer').subarray(0, ENTRY_BYTES);

export function remembers(seen: Buffer, trace: Buffer, nowMs: number): boolean {
  const wanted = trace.readUIntBE(0, ID_BYTES);
  for (let at = 0; at < seen.length; at += ENTRY_BYTES) {
    if (seen.readUIntBE(at, ID_BYTES) === wanted) return isRecent(seen, at, nowMs);
  }
  return false;
}

/** Adds an id, and drops what is too old or too many. */
export function remember(seen: Buffer, trace: Buffer, nowMs: number): Buffer {
  let from = Math.max(0, seen.length - ENTRY_BYTES * (REMEMBERED - 1));
  while (from < seen.length && !isRecent(seen, from, nowMs)) from += ENTRY_BYTES;
  const kept = Buffer.concat([seen.subarray(from), trace]);
  kept.writeUInt16BE(hourOf(nowMs), kept.length - ENTRY_BYTES + ID_BYTES);
  return kept;
}

function isRecent(seen: Buffer, at: number, nowMs: number): boolean {
  const hours = (hourOf(nowMs) - seen.readUInt16BE(at + ID_BYTES)) & 0xffff;
  // A clock that was put back makes an entry younger than new.
  return hours <= REMEMBERED_HOURS || hours > 0xff00;
}
