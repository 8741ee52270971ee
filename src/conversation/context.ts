import type { KnownCall } from './effect.ts';
import type { Locale, LocalizedText, Sender } from './message.ts';

/**
 * A gift that customers can pick from a list; `score` is its price in points. `image`: an https URL, which the platform or
 * the reader's browser fetches, never the bot. `pickUp`: where and when to get it, said once it is redeemed.
 */
export type Gift = {
  readonly code: string;
  readonly name: LocalizedText;
  readonly score: number;
  readonly description?: LocalizedText | undefined;
  readonly image?: string | undefined;
  readonly pickUp?: LocalizedText | undefined;
};

/** What the operator configured and the conversation needs to know. The same for every turn. */
export type Settings = {
  readonly defaultLocale: Locale;
  /** IANA name; dates are typed and shown in it. */
  readonly timeZone: string;
  /** Empty where no list is known: the gift's code is typed. */
  readonly gifts: readonly Gift[];
  /** How accumulation codes begin, as far as is known: a code that nearly does is asked about. */
  readonly codePrefixes: readonly string[];
  readonly supportContact?: string | undefined;
  /** Staff answer whoever asks for a person. */
  readonly handover?: boolean | undefined;
  /** `off`: a typed phone or e-mail is believed everywhere (kiosk use). */
  readonly identityProof: 'required' | 'off';
  /** Delays after the call's deadline at which an unknown outcome is looked up, ms, ascending, at least two. */
  readonly operationChecksMs: readonly number[];
};

/** What a step may know beside the state: everything a pure function cannot find out by itself. */
export type Context = {
  readonly settings: Settings;
  /** The store's clock, epoch ms. */
  readonly nowMs: number;
  /**
   * When the message that is answered was accepted, epoch ms; absent: now. By the accepting machine's clock, so it may be off:
   * only how long the customer was silent is told by it, and never as longer than by `nowMs`.
   */
  readonly heardMs?: number | undefined;
  /** Who wrote; for a wake-up, who wrote last (without name and e-mail). */
  readonly sender: Sender;
  /** False while AntCRM is known to be out of reach: said before anything is asked for. */
  readonly serviceUp: boolean;
  /**
   * The message was accepted after the last commit: whoever wrote it could know all that was said so far. False for
   * wake-ups, and where a crash brings a message again.
   */
  readonly current: boolean;
  /**
   * Calls that an earlier attempt of the message at hand perhaps made, by operation: before a crash, or before a fault of
   * ours. None of them is ever made again, and each is to be told. Absent: none.
   */
  readonly journal?: Readonly<Record<string, KnownCall>> | undefined;
  /** Fresh ids, unguessable, for at most one new operation and one new view a step. */
  readonly ids: { readonly operation: string; readonly view: string };
};
