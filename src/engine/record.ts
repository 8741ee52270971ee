import { z } from 'zod';
import { BEFORE_RELEASE, SCHEMA_FOR_OLDER_PROCESSES } from './before-release.ts';
import type { StoredState } from './messages.ts';

/*
 * The record of one conversation, and how it is written. The plain bytes that the store seals are:
 *
 * length of the envelope (4 bytes) | 0 (2 bytes) | envelope | state
 *
 * The envelope is JSON and is read loosely, in every version: an older process files messages into a record
 * that a newer one wrote, and keeps the fields that it does not know. Filing a message never parses the
 * state.
 */

/** A message that is not answered. `mark`: of the delivery that filed it. */
const messageSchema = z.looseObject({
  seq: z.number(),
  id: z.string(),
  mark: z.string(),
  /** When it was filed, epoch ms by the store's clock. */
  atMs: z.number().default(0),
  body: z.unknown(),
});

/**
 * A reply that is not delivered, or another task that a commit left. `asks`: the reply is a question.
 * `note`: the id of the staff's message that the reply carries.
 */
const outboxSchema = z.looseObject({
  seq: z.number(),
  body: z.unknown(),
  asks: z.literal(true).optional(),
  note: z.string().optional(),
});

/** A message of staff that was not delivered, and never will be. `why`: of `FAILURES`. */
const failedSchema = z.looseObject({ note: z.string(), why: z.string() });

/** A call that may have been made. Only the attempt `by` may make it. Without `outcome`: unknown. */
const journalEntrySchema = z.looseObject({
  by: z.string(),
  atMs: z.number(),
  body: z.unknown(),
  outcome: z.unknown().optional(),
});

/**
 * The right to work on the conversation. `owner` is a fresh nonce for each lease, `step` the number of the
 * holder's last change. `takeover`: the lease before it ran out.
 */
const leaseSchema = z.looseObject({
  owner: z.string(),
  untilMs: z.number(),
  step: z.number(),
  takeover: z.literal(true).optional(),
});

/** Why and until when replies and messages wait. All times are epoch ms by the store's clock. */
const retrySchema = z.looseObject({
  /** No message is answered and no reply is sent before this. */
  atMs: z.number(),
  /** A new message moves `atMs` forward, but never before this. */
  earliestMs: z.number(),
  /** For operators: how the last delivery ended, or why the lease was given back. */
  reason: z.string(),
  /** How often the first reply was perhaps delivered, and when first. */
  tries: z.number(),
  sinceMs: z.number(),
  /** When the first waiting reply was made; 0: no reply waits. */
  madeAtMs: z.number(),
  /** When side tasks are tried again, though replies wait. Absent: none is left, or none before `atMs`. */
  sideTasksMs: z.number().optional(),
});

/**
 * A reply that a lease left when it ran out, and how many leases since then said that they begin to send it.
 * Null again once a send has ended, however it ended.
 */
const sendingSchema = z.looseObject({ seq: z.number(), leases: z.number() });

/** A message or state that no turn could handle, or a reply about points that could not be delivered. */
const letterSchema = z.looseObject({
  id: z.string(),
  atMs: z.number(),
  reason: z.string(),
  body: z.unknown(),
});

/** An index entry that the conversation asks for. `part` follows its name in the member. */
const listedSchema = z.looseObject({ index: z.string(), part: z.string().optional(), score: z.number() });

const envelopeSchema = z.looseObject({
  /** The newest version that wrote into the record; it only rises. */
  version: z.number().default(BEFORE_RELEASE),
  /** The last message ids. Each is 8 characters of its hash, then 2 characters of the hour of its filing. */
  ids: z.string().default(''),
  inbox: z.array(messageSchema).default([]),
  inSeq: z.number().default(0),
  /** What `inSeq` was when a question was last delivered. */
  knew: z.number().default(0),
  outbox: z.array(outboxSchema).default([]),
  outSeq: z.number().default(0),
  /** The number of staff's messages that left the outbox. */
  carried: z.number().default(0),
  failed: z.array(failedSchema).default([]),
  journal: z.record(z.string(), journalEntrySchema).default({}),
  lease: leaseSchema.nullable().default(null),
  /** How many leases ran out since the last commit, other than while replies were sent. */
  attempts: z.number().default(0),
  /** How many leases ever ran out: a lease that ran out knows fewer than those after it. */
  runOuts: z.number().default(0),
  sending: sendingSchema.nullable().default(null),
  /** When the state asked to be woken; 0: never. */
  wakeMs: z.number().default(0),
  retry: retrySchema.nullable().default(null),
  /** Messages that found the inbox full. The next turn tells the customer. */
  dropped: z.number().default(0),
  dead: z.array(letterSchema).default([]),
  listed: z.array(listedSchema).default([]),
});

/** What a loose schema reads, without the unknown fields that it only carries along. */
export type KnownFields<T> = T extends readonly (infer Item)[]
  ? readonly KnownFields<Item>[]
  : T extends object
    ? {
        readonly [Name in keyof T as IsCarried<Name, T[Name]> extends true ? never : Name]: KnownFields<
          T[Name]
        >;
      }
    : T;

type IsCarried<Name, Value> = string extends Name ? (unknown extends Value ? true : false) : false;

export type InboxMessage = KnownFields<z.infer<typeof messageSchema>>;
export type OutboxEntry = KnownFields<z.infer<typeof outboxSchema>>;
export type FailedNote = KnownFields<z.infer<typeof failedSchema>>;
export type JournalEntry = KnownFields<z.infer<typeof journalEntrySchema>>;
export type Retry = KnownFields<z.infer<typeof retrySchema>>;
export type DeadLetter = KnownFields<z.infer<typeof letterSchema>>;
export type RequestedEntry = KnownFields<z.infer<typeof listedSchema>>;

/**
 * All that is kept of a conversation. `state` is the dialogue's state as JSON. `stored` is the same state
 * as an object, if this process wrote it; it is not stored itself.
 */
export type ConversationRecord = KnownFields<z.infer<typeof envelopeSchema>> & {
  readonly state: string | null;
  readonly stored?: StoredState | undefined;
};

const EMPTY = { ...envelopeSchema.parse({}), state: null };

/**
 * The first record of a conversation. The numbers of its replies start from the time in ms: an earlier, lost
 * record may have used smaller numbers, and no number may be used twice.
 */
export function newRecord(nowMs: number): ConversationRecord {
  return { ...EMPTY, outSeq: nowMs };
}

const HEADER_BYTES = 6;

/** The plain bytes of a record. Fields with their default value are left out. */
export function writeRecord({ state, stored: _, ...envelope }: ConversationRecord): Buffer {
  const fields: Record<string, unknown> = envelope;
  const filled: Record<string, unknown> = { schema: SCHEMA_FOR_OLDER_PROCESSES };
  for (const name in fields) {
    const value = fields[name];
    if ((value === 0 || value === null || value === '') && name in EMPTY) continue;
    if (Array.isArray(value) && value.length === 0 && name in EMPTY) continue;
    filled[name] = value;
  }
  const text = JSON.stringify(filled);
  const textBytes = Buffer.byteLength(text);
  const plain = Buffer.allocUnsafe(
    HEADER_BYTES + textBytes + (state === null ? 0 : Buffer.byteLength(state)),
  );
  plain.writeUInt32BE(textBytes, 0);
  plain.writeUInt16BE(0, 4);
  plain.write(text, HEADER_BYTES);
  if (state !== null) plain.write(state, HEADER_BYTES + textBytes);
  return plain;
}

/** Throws if the bytes are no record. */
export function readRecord(plain: Buffer): ConversationRecord {
  const stateAt = HEADER_BYTES + plain.readUInt32BE(0);
  if (stateAt > plain.length) throw new RangeError('a record is cut off');
  const text = plain.toString('utf8', HEADER_BYTES, stateAt);
  const { schema: _, ...envelope } = envelopeSchema.parse(JSON.parse(text));
  return {
    ...envelope,
    state: stateAt === plain.length ? null : plain.toString('utf8', stateAt),
  };
}

/** An id as it is remembered: characters of its hash, then of its hour. */
export const ID_CHARS = 10;
export const HOUR_CHARS = 2;

export const toHour = (hours: number): string => (hours & 1023).toString(32).padStart(HOUR_CHARS, '0');
