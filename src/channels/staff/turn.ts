import type { Unread } from '../events.ts';
import type { StaffAnswer, StaffEvent, StaffReply } from './answer.ts';

/** Gathers the events that answer one message. */
export type Turn = {
  /** To be called with every event of the conversation, the old ones too. */
  see(event: Unread<StaffEvent>): void;
  /** The message goes in now: only events from here on can answer it, so older ones need not be opened. */
  begin(): void;
  /** True once the turn's last reply was seen, false if `giveUp` was called first. */
  readonly ended: Promise<boolean>;
  giveUp(): void;
  replies(): StaffReply[];
  /** A look into the turn; only once it has ended. */
  trace(): StaffAnswer['trace'];
  /** Where the conversation stood at the latest event seen. */
  state(): StaffAnswer['state'];
};

export function followTurn(id: string): Turn {
  const done = Promise.withResolvers<boolean>();
  const replies: StaffEvent[] = [];
  let latest: Unread<StaffEvent> | undefined;
  let begun = false;

  function see(event: Unread<StaffEvent>): void {
    latest = event;
    const reply = begun ? event.read() : null;
    if (reply?.turn !== id) return;
    replies.push(reply);
    if (reply.last) done.resolve(true);
  }

  return {
    see,
    begin() {
      begun = true;
    },
    ended: done.promise,
    giveUp: () => done.resolve(false),
    replies: () => replies,
    trace: () => replies.at(-1)?.trace,
    state: () => latest?.read()?.state,
  };
}
