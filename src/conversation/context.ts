import type { OperationOutcome } from './effect.ts';
import type { Locale, LocalizedText, Sender } from './message.ts';

/**
 * A gift of the operator's list. `score` is its price in points. `image` is an https URL, which the platform
 * or the reader's browser fetches, never the bot. `pickUp` says where and when to get the gift once it is
 * redeemed.
 */
export type Gift = {
  readonly code: string;
  readonly name: LocalizedText;
  readonly score: number;
  readonly description?: LocalizedText | undefined;
  readonly image?: string | undefined;
  readonly pickUp?: LocalizedText | undefined;
};

/** What the operator configured. The same for every turn. */
export type Settings = {
  readonly defaultLocale: Locale;
  /** An IANA name. Dates are typed and shown in this zone. */
  readonly timeZone: string;
  /** Empty if there is no list: customers type the code of a gift. */
  readonly gifts: readonly Gift[];
  /** How codes begin: the bot asks about a code that nearly begins like this. */
  readonly codePrefixes: readonly string[];
  readonly supportContact?: string | undefined;
  /** Staff answer customers who ask for a person. */
  readonly handover?: boolean | undefined;
  /** Staff can look up the code of a redeemed gift, so receipts carry one (`Context.giftCode`). */
  readonly counter?: boolean | undefined;
  /**
   * A one-time code can prove a phone. `cooldownMs`: how long a phone that a code proved cannot spend points.
   * Absent: there are no codes.
   */
  readonly proof?: { readonly cooldownMs: number } | undefined;
  /** `off`: the bot believes a typed phone or e-mail everywhere (kiosk use). */
  readonly identityProof: 'required' | 'off';
  /** When an unknown outcome is looked up: delays after the call's deadline, ms, ascending, at least two. */
  readonly operationChecksMs: readonly number[];
};

/** What a step may know besides the state. */
export type Context = {
  readonly settings: Settings;
  /** The store's clock, epoch ms. */
  readonly nowMs: number;
  /**
   * When the message was filed, epoch ms by the store's clock; absent: now. Only used to measure the
   * customer's silence.
   */
  readonly filedMs?: number | undefined;
  /** Who wrote. At a wake-up: who wrote last, without name and e-mail. */
  readonly sender: Sender;
  /** False while AntCRM is out of reach. The bot says so before it asks for anything. */
  readonly serviceUp: boolean;
  /**
   * The message was accepted after the last commit, so its writer could see all earlier replies. False at
   * wake-ups, and if a crash brings a message again.
   */
  readonly current: boolean;
  /**
   * Calls that an earlier attempt at this message perhaps made, by operation. None of them is made again, and
   * the customer hears of each. Absent: none.
   */
  readonly journal?: Readonly<Record<string, OperationOutcome>> | undefined;
  /**
   * The code that proves a redemption at the counter, by the operation's id: always the same for the same
   * operation, and a secret of its customer. Absent: there is no counter.
   */
  readonly giftCode?: ((operation: string) => string) | undefined;
  /** Fresh ids that cannot be guessed, for one new operation and one new view. */
  readonly ids: { readonly operation: string; readonly view: string };
};
