import { type Lease, NEVER_TRIED, type Next, type OutboxEntry, type Tried, type Work } from '../mailbox.ts';

/** All that is kept of one conversation. Times are epoch ms of the store's clock. */
export type Box = {
  readonly queue: { readonly seq: number; readonly body: Buffer }[];
  lastQueued: number;
  /** Number of the last message that was filed when the last commit came, or the last reply was delivered. */
  knew: number;
  outbox: OutboxEntry[];
  lastOut: number;
  state: Buffer | null;
  /** States that could not be opened. */
  aside: Buffer[];
  /** The newest of all that is kept: it only rises. */
  schema: number;
  version: number;
  fence: number;
  /** Null: nobody holds the lease. */
  leaseUntilMs: number | null;
  /** Of the command that took the lease. */
  nonce: string;
  /** Nobody works before this, and no new message brings that forward beyond `earliestMs`. */
  notBeforeMs: number;
  earliestMs: number;
  /** Of the outbox's first reply. */
  tried: Tried;
  wakeAtMs: number | null;
  /** Leases that expired since the last commit, and releases that handed over the same once more. */
  expired: number;
  /** The release that last handed work over since the last commit or lease. */
  handedBy: string | null;
  /** The release that handed over what the lease holder works on. */
  mark: string | null;
  /** The lease was taken because another one had run out. */
  takeover: boolean;
  /** Messages refused, and how many of them the lease holder was told of. */
  dropped: number;
  told: number;
  /** The command that was refused last. */
  refused: string | null;
  readonly seen: Map<string, { nonce: string; atMs: number }>;
  readonly intents: Map<string, { fence: number; atMs: number; body: Buffer }>;
  /** The last commit, by which a re-sent one is known. */
  committed: { readonly fence: number; readonly version: number; readonly firstSeq: number } | null;
  usedMs: number;
};

export function newBox(nowMs: number): Box {
  return {
    queue: [],
    lastQueued: 0,
    knew: 0,
    outbox: [],
    lastOut: 0,
    state: null,
    aside: [],
    schema: 0,
    version: 0,
    fence: 0,
    leaseUntilMs: null,
    nonce: '',
    notBeforeMs: 0,
    earliestMs: 0,
    tried: NEVER_TRIED,
    wakeAtMs: null,
    expired: 0,
    handedBy: null,
    mark: null,
    takeover: false,
    dropped: 0,
    told: 0,
    refused: null,
    seen: new Map(),
    intents: new Map(),
    committed: null,
    usedMs: nowMs,
  };
}

export function holds(box: Box | undefined, lease: Lease): box is Box {
  if (box === undefined || box.leaseUntilMs === null) return false;
  return box.fence === lease.fence && box.nonce === lease.nonce;
}

/** The store knows of the release that handed over what the holder works on. */
export const knowsMark = (box: Box, { mark }: Lease): boolean => mark === undefined || box.mark === mark;

export function isFree(box: Box, nowMs: number): boolean {
  return (box.leaseUntilMs === null || box.leaseUntilMs <= nowMs) && box.notBeforeMs <= nowMs;
}

/** When somebody must look at the conversation; null: never. */
export function dueAt(box: Box, nowMs: number): number | null {
  if (box.leaseUntilMs !== null) return box.leaseUntilMs;
  if (box.queue.length > 0 || box.outbox.length > 0) return Math.max(nowMs, box.notBeforeMs);
  return box.wakeAtMs === null ? null : Math.max(box.wakeAtMs, box.notBeforeMs);
}

const isWoken = (box: Box, nowMs: number): boolean => box.wakeAtMs !== null && box.wakeAtMs <= nowMs;

/** There is a message or a wake-up to answer. */
export const hasWork = (box: Box, nowMs: number): boolean => box.queue.length > 0 || isWoken(box, nowMs);

/** What the lease holder is to do next; it now knows of all dropped messages. */
export function next(box: Box, nowMs: number): Next {
  const head = box.queue[0];
  const attempts = box.expired + 1;
  const woken = head === undefined && isWoken(box, nowMs);
  box.told = box.dropped;
  return {
    head: head === undefined ? null : { ...head, attempts, current: head.seq > box.knew },
    wake: woken ? { attempts } : null,
    dropped: box.dropped,
    nowMs,
  };
}

/** What the holder of the lease gets to see. */
export function workOf(conversation: string, box: Box, nowMs: number): Work {
  return {
    conversation,
    fence: box.fence,
    nonce: box.nonce,
    lost: false,
    takeover: box.takeover,
    version: box.version,
    state: box.state,
    outbox: box.outbox.slice(),
    tried: box.tried,
    ...next(box, nowMs),
  };
}

/** Takes the lease from nobody, or from a holder whose time is over. */
export function take(conversation: string, box: Box, nonce: string, nowMs: number, leaseMs: number): Work {
  box.takeover = box.leaseUntilMs !== null;
  if (box.takeover) box.expired += 1;
  box.fence += 1;
  box.leaseUntilMs = nowMs + leaseMs;
  box.nonce = nonce;
  box.handedBy = null;
  box.mark = null;
  box.notBeforeMs = 0;
  return workOf(conversation, box, nowMs);
}
