import type { PeriodTable } from './values/time-words.ts';

/**
 * What is to be known of a language beside the phrases of `locales/<tag>.json`: one file each, listed in
 * `grammars.ts`. Phrases are separated by commas and compared folded (no case, no marks); a test holds that none has
 * two meanings.
 */
export type Grammar = {
  /** What speaks of time, and how (`values/time-words.ts`). */
  readonly periods: PeriodTable;
  /** Polite words around a yes, which leave it one. */
  readonly particles: string;
  /** Of what declines, the words that say that something is wrong, not that there is none: "sai email". */
  readonly faults: string;
  /** Say yes on their own, and nothing beside a no: "dạ không". */
  readonly assents: string;
  /** Words without marks that are others in another language (`no`, nó): among words of that one they say nothing. */
  readonly short: string;
  /** With their marks, which folding forgets: what makes a yes a question as its last word, or is none wherever it stands. */
  readonly objections: { readonly last: string; readonly anywhere: string };
  /** Words before the number of a page, and what calls one by its place. */
  readonly pages: {
    readonly number: string;
    readonly first: string;
    readonly last: string;
    readonly next: string;
    readonly previous: string;
  };
  /** Units: a number before one is an amount, not a code. */
  readonly units: string;
  /** Words that ask for something that is named or counted; they change nothing else. */
  readonly questions: string;
  /**
   * How many of a thing are asked for: number words, what things are counted by ("2 cái"), and the ending of a name that
   * stands for several ("speakers"), all folded. `beside`: what may stand beside its name and asks for nothing more.
   */
  readonly several: {
    readonly numbers: Readonly<Record<string, number>>;
    readonly counters: string;
    readonly ending: string;
    readonly beside: string;
  };
  /**
   * What a question is told by beside its mark: words anywhere in it, its first and its last one. `polite` words say nothing
   * in a question, `small` ones little.
   */
  readonly asking: {
    readonly anywhere: string;
    readonly first: string;
    readonly last: string;
    readonly polite: string;
    readonly small: string;
  };
  /** Words of it that people use in every language: they do not tell which one a text is in. */
  readonly borrowed: string;
  /** Words that change nothing: politeness, pronouns, particles. */
  readonly fillers: string;
  /** Right before the name of a gift, these ask for it: "đổi loa". On their own they ask for nothing. */
  readonly wishes: string;
  /** Words that turn the request after them into its opposite (`stop`), or say that it did not work (`fail`). */
  readonly denials: { readonly stop: string; readonly fail: string };
  /** Phrases that tell which of the two histories is meant; the words of some flows do so too. */
  readonly types: { readonly point: string; readonly gift: string };
  /**
   * How a list of codes is spoken of: words that take away what is named, deny it, put something in its place, say that it
   * was wrong, add to it, or keep nothing else. `between` may stand between such a word and a code, `joining` between codes;
   * `others` are the codes that are not named. `inPlaces` writes the places that a folded text names as `#2` (`#-1` the last one, `#0` all).
   */
  readonly listing: {
    readonly removing: string;
    readonly denying: string;
    readonly replacing: string;
    readonly correcting: string;
    readonly adding: string;
    readonly keeping: string;
    readonly between: string;
    readonly joining: string;
    readonly others: string;
    readonly inPlaces: (text: string) => string;
  };
  /** What gifts are called: on their own they ask for none. They stand among the words of a flow, too. */
  readonly gifts: string;
  /** What was redeemed, whenever that was: no period is meant. They stand among the words of a flow and of `types`, too. */
  readonly ever: string;
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
