import type { Settings } from './context.ts';
import type { HistoryType } from './effect.ts';
import type { Locale } from './message.ts';
import type { Period } from './values/calendar.ts';

/*
 * What a message asks for. Only `interpret` turns a text into commands, only `run` (`dialogue/run.ts`) applies them: each
 * once, in order; then one question stands. Presses, forms, photos, links and contacts become the same commands.
 */

/** What values differ in: how they are read, joined with what is there, asked for and explained (`kinds.ts`). */
export const SLOT_KINDS = ['codes', 'phone', 'email', 'gift', 'period', 'list'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

/** Which page of a list: its number, from 1, or its place. */
export type WantedPage = number | 'first' | 'next' | 'previous';

/** What customers call by a name, to change it. Which slot that is, the flow at hand tells. */
export type FieldName = 'code' | 'phone' | 'email';

/** Which code of those at hand: itself, its place (from 1; -1 the last, 0 all), or how it ends. */
export type CodeRef = { readonly code: string } | { readonly place: number } | { readonly end: string };

/**
 * What was probably meant by a value, which is asked about instead of taken: an old phone number, a phone without its
 * zero, an e-mail's typing error.
 */
export type Doubt = { readonly why: 'mapped' | 'leadingZero' | 'typo'; readonly meant: string };

/** Why something was not taken for the value that it was to be: a message key (`phone.short`). */
export type ValueFault = { readonly kind: SlotKind; readonly reason: string };

/** Work: what a flow is begun with and made of. */
export type FlowCommand =
  /** Begins a flow. `asked`: only asked about ("đổi quà thế nào?"), which drops nothing that is at hand. */
  | { readonly do: 'start'; readonly flow: string; readonly asked?: true }
  /**
   * A phone (E.164) or an e-mail. With a doubt, `value` is what was typed, of use or not; absent where it is no address.
   * `proved`: shared instead of typed, and whether it is the sender's own.
   */
  | {
      readonly do: 'set';
      readonly slot: 'phone' | 'email';
      readonly value?: string;
      readonly doubt?: Doubt;
      readonly proved?: boolean;
    }
  /** A gift of the list, by its code; where there is no list, any code. `several`: more than one of it was named. */
  | { readonly do: 'set'; readonly slot: 'gift'; readonly value: string; readonly several?: true }
  /** Several gifts of the list may be meant: one of them is to be picked. */
  | { readonly do: 'among'; readonly gifts: readonly string[] }
  | { readonly do: 'period'; readonly period: Period }
  /** Which history; `both`: named both, so it is asked. */
  | { readonly do: 'kind'; readonly of: HistoryType | 'both' }
  /** `spaced`: written with blanks inside, so it is asked about. */
  | { readonly do: 'add'; readonly codes: readonly string[]; readonly spaced?: true }
  /** `which` empty: none is named, so it is the only one, or asked. */
  | { readonly do: 'remove'; readonly which: readonly CodeRef[] }
  | { readonly do: 'keepOnly'; readonly which: readonly CodeRef[] }
  /** `old` empty: none is named, so the one that is asked about, the only one, or the one that nearly is the new one. */
  | { readonly do: 'replace'; readonly old: readonly CodeRef[]; readonly codes: readonly string[] }
  /** Asks for a value again ("sửa số điện thoại", "mã sai rồi"); without a field: the one that can be changed, or which. */
  | { readonly do: 'change'; readonly field?: FieldName }
  /** There is none: "không có email", "bỏ qua"; without a field: of what is asked. */
  | { readonly do: 'none'; readonly field?: FieldName };

/** Answers to the live question; where none of them is asked for, they say what they say. */
export type AnswerCommand =
  /** The whole text is a yes: nothing left over, no question mark, no other act. */
  | { readonly do: 'yes' }
  /** `wrong`: it says that something is wrong, and not what. */
  | { readonly do: 'no'; readonly wrong?: true }
  /** At a doubt: what was meant, what was typed, neither. */
  | { readonly do: 'use' }
  | { readonly do: 'keep' }
  | { readonly do: 'other' }
  /** Ends what is going on; `mild` ("thôi"): at a question that may be skipped it skips. */
  | { readonly do: 'cancel'; readonly mild?: true }
  /** Turns the page; `same`: shows once more what is shown. */
  | { readonly do: 'page'; readonly to: WantedPage | 'same' }
  /** A button of the live question (`Expecting.buttons`), by its number or its words. */
  | { readonly do: 'pick'; readonly choice: string };

/** Beside the work: answered, and the question comes again. */
export type DigressionCommand =
  /** A question. An answer that is known (its id), "what?", "what is wrong with it?", or one that nobody knows. */
  | { readonly do: 'ask'; readonly about: 'answer'; readonly id: string; readonly field?: FieldName }
  /** What a gift of the list costs. */
  | { readonly do: 'ask'; readonly about: 'gift'; readonly gift: string }
  | { readonly do: 'ask'; readonly about: 'what' | 'wrong' | 'unknown' }
  | { readonly do: 'show'; readonly what: 'welcome' | 'menu' | 'help' | 'languages' }
  /** A person is wished for; or only mentioned, or wanted by a complaint, and so offered. */
  | { readonly do: 'show'; readonly what: 'person' | 'offer' | 'complaint' }
  /** What is kept about the customer; `erasing`: they asked to have it erased, which its button does. */
  | { readonly do: 'show'; readonly what: 'privacy' | 'erasing' }
  /** How an operation stands: the last one, or that of a reference. */
  | { readonly do: 'status'; readonly reference?: string }
  | { readonly do: 'speak'; readonly locale: Locale }
  | {
      readonly do: 'talk';
      readonly about: 'greeting' | 'thanks' | 'bye' | 'wait' | 'upset' | 'remark';
    }
  /**
   * Not understood. `maybe`: what it may have been, offered by buttons ("Bạn muốn …?"), at most three; a yes among them is
   * no yes, and is shown which button it takes. `wrong`: what is wrong with it as the value that it was to be. `script`:
   * written in letters that no language here has.
   */
  | {
      readonly do: 'unclear';
      readonly maybe?: readonly TextCommand[];
      readonly wrong?: ValueFault;
      readonly script?: true;
      /** It asks something. */
      readonly question?: true;
    };

/** What only a press says. No text ever does. */
export type PressCommand =
  | { readonly do: 'confirm'; readonly operation: string }
  | { readonly do: 'consent'; readonly given: boolean }
  /** Erases at once: the button, or the slash command `/forget`. */
  | { readonly do: 'forget' }
  /** A button of a question that is over. */
  | { readonly do: 'expired' };

/** What a text may say. Typing proves nothing by itself. */
export type TextCommand = Exclude<FlowCommand, { do: 'set' }> | Unproved | AnswerCommand | DigressionCommand;
type Unproved<Set = Extract<FlowCommand, { do: 'set' }>> = Set extends unknown
  ? Omit<Set, 'proved'> & { readonly proved?: never }
  : never;

/** All that `run` understands. */
export type Command = FlowCommand | AnswerCommand | DigressionCommand | PressCommand;
export type CommandOf<Do extends Command['do']> = Extract<Command, { do: Do }>;

/**
 * What is live while a text is read, derived from the state and never stored: the same words mean other things at another
 * question.
 */
export type Expecting = {
  readonly at: 'nothing' | 'slot' | 'doubt' | 'summary' | 'page' | 'consent';
  /** The flow at hand. */
  readonly flow?: string | undefined;
  /** Of the slot that is asked (`slot`), or that is in doubt (`doubt`). */
  readonly kind?: SlotKind | undefined;
  /** The slot is being changed. */
  readonly editing?: true | undefined;
  /** Staff write: a phone or an e-mail names the customer, wherever it stands. */
  readonly isStaff?: true | undefined;
  /** The ids of the live question's buttons, in order; null: one that no words press. */
  readonly buttons: readonly (string | null)[];
  /** The codes at hand, in order. */
  readonly codes: readonly string[];
  /** The gift at hand. */
  readonly gift?: string | undefined;
  /** The phone (E.164) and the e-mail at hand. */
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  /** References of the operations that this conversation made. */
  readonly references: readonly string[];
};

/** What the interpreter may know beside: the gifts and their names, how codes begin, what day it is where. */
export type Reading = {
  readonly settings: Pick<Settings, 'gifts' | 'codePrefixes' | 'timeZone'>;
  readonly nowMs: number;
};

/** The commands of a text, and why: the look inside shows it. */
export type Interpretation = {
  /** At least one. */
  readonly commands: readonly TextCommand[];
  readonly why: {
    /** The examples that cover the text, as they stand in the language's file. */
    readonly covered: readonly string[];
    /** Examples that are like it, the nearest first. */
    readonly nearest?: readonly {
      readonly example: string;
      readonly command: string;
      readonly score: number;
    }[];
  };
};

/** How texts are read: the only place that sees one. */
export type Interpreter = {
  interpret(text: string, expecting: Expecting, reading: Reading): Interpretation;
  /** The language that a text is in, as far as its words tell; `first`: nothing is known yet, so "hello" tells it, too. */
  localeOf(text: string, known?: { readonly first: boolean }): Locale | undefined;
  /** Whether a text is nothing but a word that ends the talk with a person: "quay lại". */
  leaves(text: string): boolean;
  /** What the slash command stands for that a text begins with: `show help`. */
  slash(text: string): string | undefined;
  /** A field of a form, or the number of a contact: only as a value of that kind. */
  read(kind: SlotKind, text: string, reading: Reading): readonly TextCommand[];
  /** What a deep link carries: a code, or why it is none. */
  link(payload: string): readonly TextCommand[];
  /** The codes in what a picture's QR or bar code says. */
  scan(text: string): readonly string[];
};
