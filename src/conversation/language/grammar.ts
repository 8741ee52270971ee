/** The periods that buttons offer. */
export const PERIODS = ['7d', '30d', 'month', 'lastMonth', 'all'] as const;
export type NamedPeriod = (typeof PERIODS)[number];

/** Periods that no button offers. */
export const DAYS = ['today', 'yesterday', 'week', 'lastWeek', 'year', 'lastYear'] as const;
export type NamedDays = (typeof DAYS)[number];

/**
 * What is to be known of a language beside the phrases of `locales/<tag>.json`: one file each, listed in
 * `grammars.ts`. Phrases are separated by commas and compared folded (no case, no marks); a test holds that none has
 * two meanings.
 */
export type Grammar = {
  readonly periods: Readonly<Record<NamedPeriod, string>>;
  readonly days: Readonly<Record<NamedDays, string>>;
  /** Parts of typed dates: left in the rest of a message, where `parsePeriod` reads them. */
  readonly dateWords: string;
  /** Words before the first and the last day of a range, and others that stand around dates. */
  readonly range: { readonly from: string; readonly to: string; readonly others: string };
  /** Counted periods ("10 ngày qua", "last 2 weeks"), as sources of patterns over folded words. */
  readonly counted: {
    readonly before: string;
    readonly days: string;
    readonly weeks: string;
    readonly months: string;
    readonly after: string;
  };
  /**
   * Typed dates with the words of this language written as numbers, folded: `5/11/2026`, a month without a day as
   * `thang 11/2026`.
   */
  readonly inNumbers: (text: string) => string;
  /** Units: a number before one is an amount, not a code. */
  readonly units: string;
  /** Words that change nothing: politeness, pronouns, particles. */
  readonly fillers: string;
  /** Right before the name of a gift, these ask for it: "đổi loa". On their own they ask for nothing. */
  readonly wishes: string;
  /** Words that turn the request after them into its opposite (`stop`), or say that it did not work (`fail`). */
  readonly denials: { readonly stop: string; readonly fail: string };
  /** Phrases that tell which of the two histories is meant; the words of some flows do so too. */
  readonly types: { readonly point: string; readonly gift: string };
  /** What the slots are called. A code may directly follow its name. */
  readonly fields: { readonly code: string; readonly phone: string; readonly email: string };
  /** One word for another, both folded: what thumbs make of them. */
  readonly abbreviations: Readonly<Record<string, string>>;
  /** Words that, spelt with these marks, are not what their letters alone would say; '' = they change nothing. */
  readonly homographs: Readonly<Record<string, string>>;
  /**
   * Words that count on their own only with their marks in a message that has marks: "Tôi là Huy" cancels nothing, and in
   * "gửi qua email" there is no gift.
   */
  readonly needMarks: readonly string[];
};
