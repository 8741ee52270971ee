import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What spans and log lines say of the work at hand. A closed list: hashes, references and words of ours, never text,
 * phone, e-mail, code, token or URL (docs/design.md, "Logs and traces").
 */
export type About = {
  readonly channel?: string | undefined;
  /** As a keyed hash. */
  readonly conversation?: string | undefined;
  /** The customer's reference of it. */
  readonly operation?: string | undefined;
  /** What a turn answers: the kind of a message, or `wake`. */
  readonly input?: string | undefined;
  /** How often the turn was begun, this time included. */
  readonly attempt?: number | undefined;
  /** What is asked of AntCRM. */
  readonly effect?: string | undefined;
  /** How AntCRM, a platform or the store answered. */
  readonly outcome?: string | undefined;
  /** What became of the work. */
  readonly result?: string | undefined;
  /** The HTTP status answered. */
  readonly status?: number | undefined;
};

/** Few names: what differs between spans of one name is in `About`. */
export type SpanName =
  | 'webhook'
  | 'accept'
  | 'wait'
  | 'turn'
  | 'identify'
  | 'step'
  | 'perform'
  | 'photo'
  | 'deliver'
  | `antcrm ${'accumulate' | 'redeem' | 'history' | 'contact'}`
  | `store ${'lock' | 'unlock' | 'intend' | 'recall' | 'commit'}`;

/**
 * Makes spans and sends them away. `telemetry.ts` implements it, for a collector.
 *
 * @example
 * const span = tracer.begin('commit', { channel: 'telegram' }, message.traceparent ?? null);
 * span.note({ outcome: 'done' });
 * span.end();
 */
export interface Tracer {
  /** Begins a span now, or at `sinceMs` (epoch). `parent`: in the form of W3C Trace Context; null: a new trace. */
  begin(name: SpanName, about: About, parent: string | null, sinceMs?: number): OpenSpan;
  /** Sends what has ended. Never rejects. */
  close(): Promise<void>;
}

export type OpenSpan = {
  readonly traceId: string;
  /** What a child of it, in whichever process, names as its parent. */
  readonly traceparent: string;
  note(about: About): void;
  /** `error`: what the work threw; only its name is sent. */
  end(error?: unknown): void;
};

/** What this chain of awaits works on. */
type AtWork = Pick<About, 'conversation' | 'operation'> & { readonly span?: OpenSpan | undefined };

/**
 * Says what is worked on, to traces and to the log. Without a tracer there are no spans, and each call costs a comparison;
 * the log still learns which conversation and operation its lines are about.
 */
export type Spans = {
  /** Whether there is a tracer: what only makes spans can be left out where there is none. */
  readonly isTracing: boolean;
  /**
   * Does `work` in a span of its own: a child of the span at hand, or of `parent` (null: the first of a new trace).
   * Resolves and rejects as `work` does.
   */
  around<Result>(
    name: SpanName,
    about: About,
    work: () => Promise<Result>,
    parent?: string | null,
  ): Promise<Result>;
  /** The same for work that waits for nothing. */
  during<Result>(name: SpanName, work: () => Result): Result;
  /** A span that ends now and began at `sinceMs` (epoch), in whichever process. */
  since(sinceMs: number, name: SpanName, about: About, parent: string): void;
  /** Adds to what the span at hand says. */
  note(about: About): void;
  /** Does `work` with log lines that say what it is about, outside of the span at hand. */
  apart<Result>(about: Pick<About, 'conversation'>, work: () => Promise<Result>): Promise<Result>;
  /** The span at hand, for what will go on with the work elsewhere; undefined where there is none. */
  traceparent(): string | undefined;
  /** What each log line says beside its own fields. */
  fields(): Record<string, string>;
};

export function createSpans(tracer?: Tracer): Spans {
  const atWork = new AsyncLocalStorage<AtWork>();

  const begin = (made: Tracer, name: SpanName, about: About, parent?: string | null): OpenSpan => {
    const { conversation, operation, span } = atWork.getStore() ?? {};
    return made.begin(
      name,
      { conversation, operation, ...about },
      parent === undefined ? (span?.traceparent ?? null) : parent,
    );
  };

  async function within<Result>(span: OpenSpan, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      span.end();
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  return {
    isTracing: tracer !== undefined,

    around(name, about, work, parent) {
      const { conversation, operation } = about;
      if (tracer === undefined && conversation === undefined && operation === undefined) return work();
      const before = atWork.getStore();
      const span = tracer && begin(tracer, name, about, parent);
      const at: AtWork = {
        conversation: conversation ?? before?.conversation,
        operation: operation ?? before?.operation,
        span,
      };
      return atWork.run(at, () => (span === undefined ? work() : within(span, work)));
    },

    during(name, work) {
      if (tracer === undefined) return work();
      const span = begin(tracer, name, {});
      try {
        const result = work();
        span.end();
        return result;
      } catch (error) {
        span.end(error);
        throw error;
      }
    },

    since: (sinceMs, name, about, parent) => tracer?.begin(name, about, parent, sinceMs).end(),
    note(about) {
      if (tracer !== undefined) atWork.getStore()?.span?.note(about);
    },
    apart(about, work) {
      const { conversation, operation, span } = atWork.getStore() ?? {};
      // Nothing to leave: what is at hand says the same. That is every turn of a message just accepted, untraced.
      const isSame = conversation === about.conversation && operation === undefined && span === undefined;
      return isSame ? work() : atWork.run(about, work);
    },
    traceparent: () => (tracer === undefined ? undefined : atWork.getStore()?.span?.traceparent),

    fields() {
      const { conversation, operation, span } = atWork.getStore() ?? {};
      return {
        ...(conversation !== undefined && { conversation }),
        ...(operation !== undefined && { operation }),
        ...(span !== undefined && { trace_id: span.traceId }),
      };
    },
  };
}
