import type { Settings } from './context.ts';
import type { HistoryType } from './effect.ts';
import type { Locale } from './message.ts';
import type { Period } from './values/calendar.ts';

/*
 * What a message asks for. Only `interpret` turns a text into commands. Presses, forms, photos and links
 * become the same commands. Only `run` applies them: each once, in order; then it asks one question.
 */

/** The kinds of values (`slots.ts`). */
export const SLOT_KINDS = ['codes', 'phone', 'email', 'gift', 'period', 'list', 'proof'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

/** What customers call a value that they change. */
export const FIELDS = ['code', 'phone', 'email'] as const;
export type FieldName = (typeof FIELDS)[number];

/** One of the current codes: itself, its place (from 1; -1 the last, 0 all), or how it ends. */
export type CodeRef = { readonly code: string } | { readonly place: number } | { readonly end: string };

/**
 * What the customer probably meant. The bot asks, and takes nothing by itself. `spoken`: digits in words, a
 * dictated e-mail.
 */
export type Doubt = { readonly why: 'mapped' | 'leadingZero' | 'typo' | 'spoken'; readonly meant: string };

/** Why a value was refused: a message key (`phone.short`). */
export type ValueFault = { readonly kind: SlotKind; readonly reason: string };

/**
 * Begins a flow, or gives it values.
 *
 * @example
 * const commands: FlowCommand[] = [
 *   { do: 'start', flow: 'accumulate' },
 *   { do: 'add', codes: ['TIVI000000017'] },
 * ];
 */
export type FlowCommand =
  /** `asked`: the customer only asks about the flow ("đổi quà thế nào?"). The question must lose no value. */
  | { readonly do: 'start'; readonly flow: string; readonly asked?: true }
  /**
   * A phone (E.164) or an e-mail. With a doubt, `value` is the typed text; absent if that is not valid.
   * `proved`: shared instead of typed, and whether it is the sender's own. `kept`: the text only mentions it
   * (a complaint, a question, a plan), so it is noted and begins nothing.
   */
  | {
      readonly do: 'set';
      readonly slot: 'phone' | 'email';
      readonly value?: string;
      readonly doubt?: Doubt;
      readonly kept?: true;
      readonly proved?: boolean;
    }
  /** The text has several of them, and may mean each. Phones are E.164. */
  | { readonly do: 'several'; readonly slot: 'phone' | 'email'; readonly values: readonly string[] }
  /** A gift, by its code. `several`: the text wants more than one of it. */
  | { readonly do: 'set'; readonly slot: 'gift'; readonly value: string; readonly several?: true }
  /** The text fits several gifts of the list: the customer picks one. */
  | { readonly do: 'among'; readonly gifts: readonly string[] }
  | { readonly do: 'period'; readonly period: Period }
  /** Which history. `both`: the text names both, so the bot asks. */
  | { readonly do: 'kind'; readonly of: HistoryType | 'both' }
  /**
   * A code with a blank inside is a guess ("TIVI 000000314"): the bot asks about it. `others`: numbers that
   * are no codes, such as an order's.
   */
  | {
      readonly do: 'add';
      readonly codes: readonly string[];
      readonly others?: readonly string[];
      readonly kept?: true;
    }
  /** `which` is empty if the text names none: the only code is meant, or the bot asks. */
  | { readonly do: 'remove'; readonly which: readonly CodeRef[] }
  | { readonly do: 'keepOnly'; readonly which: readonly CodeRef[] }
  /** `old` is empty if the text names none: the code in doubt, or the only one. */
  | { readonly do: 'replace'; readonly old: readonly CodeRef[]; readonly codes: readonly string[] }
  /** Asks for a value again. Without a field: the only one that can change, or the bot asks. */
  | { readonly do: 'change'; readonly field?: FieldName }
  /** The customer has no such value ("không có email"). Without a field: the one that the bot asks for. */
  | { readonly do: 'none'; readonly field?: FieldName };

/** Answers the current question, or turns its page. */
export type AnswerCommand =
  /** The whole text is a yes: it has no other word, question mark or act. */
  | { readonly do: 'yes' }
  /** `wrong`: the text says that something is wrong, and not what. */
  | { readonly do: 'no'; readonly wrong?: true }
  /** At a doubt: takes what was meant, what was typed, or neither. A guess is taken by its button only. */
  | { readonly do: 'use' | 'keep' | 'other' }
  /** Ends the flow. `mild` ("thôi"): skips a question that can be skipped. */
  | { readonly do: 'cancel'; readonly mild?: true }
  | { readonly do: 'page'; readonly to: 'next' | 'previous' }
  /** Wants a one-time code for the phone: the first, or another one. */
  | { readonly do: 'sendCode' }
  /** The whole text answers the question whether phone and e-mail may be remembered (`asksConsent`). */
  | { readonly do: 'remember'; readonly given: boolean }
  /** A button of the current question (`Expecting.buttons`), by its number or its words. */
  | { readonly do: 'pick'; readonly choice: string };

/**
 * Small talk. `listen`: announces a question ("cho mình hỏi chút"). `unsure`: cannot decide ("chưa biết chọn
 * gì"). `glad`: likes or cheers something. `chat`: asks or tells the bot what is no business of it ("ăn cơm
 * chưa"). `sorry`: wrote by mistake. `later`: leaves for another
 * day ("để mai").
 */
export type TalkTopic =
  | 'greeting'
  | 'thanks'
  | 'bye'
  | 'wait'
  | 'later'
  | 'listen'
  | 'unsure'
  | 'glad'
  | 'chat'
  | 'sorry'
  | 'upset'
  | 'remark';

/** Leaves the flow as it is: the bot answers, and asks its question again. */
export type DigressionCommand =
  /** A usual question, by its id. `gift`: the code of the gift that the text names (`gift.price`). */
  | {
      readonly do: 'ask';
      readonly about: 'answer';
      readonly id: string;
      readonly field?: FieldName;
      readonly gift?: string;
    }
  /** "What?", "what is wrong with it?", or a question without an answer. */
  | { readonly do: 'ask'; readonly about: 'what' | 'wrong' | 'unknown' }
  | { readonly do: 'show'; readonly what: 'welcome' | 'menu' | 'help' | 'languages' }
  /** Wants a person. For `offer` (the text only mentions one) and `complaint`, the bot offers one. */
  | { readonly do: 'show'; readonly what: 'person' | 'offer' | 'complaint' }
  /** What is stored about the customer. `erasing`: they want it erased, which its button does. */
  | { readonly do: 'show'; readonly what: 'privacy' | 'erasing' }
  /** How the operation of a reference stands, or the last one. */
  | { readonly do: 'status'; readonly reference?: string }
  | { readonly do: 'speak'; readonly locale: Locale }
  | { readonly do: 'talk'; readonly about: TalkTopic }
  /**
   * Not understood. `likely`: meanings to offer; a yes among them confirms nothing. `wrong`: why the text is
   * no value of the asked kind. `script`: in letters that no language here has. `question`: it asks.
   * `presumed`: the first meaning is a question that is likely enough to be answered at once.
   */
  | {
      readonly do: 'unclear';
      readonly likely?: readonly TextCommand[];
      readonly presumed?: true;
      readonly wrong?: ValueFault;
      readonly script?: true;
      readonly question?: true;
    };

/** Commands that only a button gives, never a text. */
export type PressCommand =
  /** Takes the value in doubt; `option`: one of several, from 1. */
  | { readonly do: 'accept'; readonly option?: number }
  | { readonly do: 'confirm'; readonly operation: string }
  | { readonly do: 'consent'; readonly given: boolean }
  /** The one-time code, six digits. Only `inputs.ts` reads it: no text with it is interpreted. */
  | { readonly do: 'prove'; readonly code: string }
  /** The picture of the code of one's own gift, where a receipt cannot have it (`QR_PICTURE`). */
  | { readonly do: 'showQr'; readonly code: string }
  /** Erases at once: the button, or the slash command `/forget`. */
  | { readonly do: 'forget' }
  /** The button belongs to an earlier question. */
  | { readonly do: 'expired' };

/** Commands that a text can give. None has `proved`: typing proves nothing by itself. */
export type TextCommand = Exclude<FlowCommand, { do: 'set' }> | Unproved | AnswerCommand | DigressionCommand;
type Unproved<Set = Extract<FlowCommand, { do: 'set' }>> = Set extends unknown
  ? Omit<Set, 'proved'> & { readonly proved?: never }
  : never;

/** Every command that `run` applies. */
export type Command = FlowCommand | AnswerCommand | DigressionCommand | PressCommand;
export type CommandOf<Do extends Command['do']> = Extract<Command, { do: Do }>;

/** What the conversation waits for while it reads a text. Derived from the state, never stored. */
export type Expecting = {
  readonly place: 'nothing' | 'slot' | 'doubt' | 'summary' | 'page';
  /** The running flow. */
  readonly flow?: string | undefined;
  /** The kind of the slot that is asked for (`slot`) or in doubt (`doubt`). */
  readonly kind?: SlotKind | undefined;
  /** The consent question is the very last thing that was said: a text that is nothing else can answer it. */
  readonly asksConsent?: true | undefined;
  /** The consent question is open, and something else was said after it. */
  readonly offersConsent?: true | undefined;
  /** Staff write: a phone or an e-mail names the customer, wherever it stands. */
  readonly isStaff?: true | undefined;
  /** The ids of the current question's buttons, in order. Null: no words press this one. */
  buttons(): readonly (string | null)[];
  /** The current codes, in order. */
  readonly codes: readonly string[];
  readonly gift?: string | undefined;
  /** The gift of the latest redemption in a reply: "one more" means it. */
  readonly redeemed?: string | undefined;
  /** E.164. */
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  /** The text right before, a part of a value: "0867". */
  readonly piece?: string | undefined;
  /** References of the operations of this conversation. */
  readonly references: readonly string[];
};

/** What the interpreter knows besides the text. */
export type Reading = {
  readonly settings: Pick<Settings, 'gifts' | 'codePrefixes' | 'timeZone'>;
  readonly nowMs: number;
};

/** The commands of a text, and why: the trace of a turn shows it. */
export type Interpretation = {
  /** At least one. */
  readonly commands: readonly TextCommand[];
  readonly why: {
    /** What the words say, and how sure that is (0–1; 1: an example line); `''`: nothing that is sure. */
    readonly act: string;
    readonly p: number;
    /** What they may say, the likeliest first. */
    readonly guesses: readonly { readonly act: string; readonly p: number }[];
  };
};

/**
 * Reads texts. Nothing else in the conversation sees one.
 *
 * @example
 * const { commands } = interpreter.interpret('0867 123 456', expecting, reading);
 * if (interpreter.slash('/huy') === 'cancel') console.log(commands.length);
 */
export type Interpreter = {
  /** Never throws, whatever the text. Texts of more than `MAX_TEXT` characters are cut. */
  interpret(text: string, expecting: Expecting, reading: Reading): Interpretation;
  /** The language of the text, if its words show it. `first`: none is known yet, so "hello" is enough. */
  localeOf(text: string, known?: { readonly first: boolean }): Locale | undefined;
  /** The word by which the customer speaks of themselves ("bác muốn …"), of the tables of address. */
  addressIn(text: string): string | undefined;
  /**
   * Whether the text ends the talk with a person: `all`, it is nothing but a word of leaving ("quay lại"),
   * curses and courtesies aside; `part`, such a word is among others ("huỷ đơn giúp mình").
   */
  leaves(text: string): 'all' | 'part' | undefined;
  /**
   * The meaning of the slash command at the start of the text (`show help`); undefined without one.
   */
  slash(text: string): string | undefined;
  /** A field of a form, or the number of a contact: only as a value of that kind. */
  read(kind: SlotKind, text: string, reading: Reading): readonly TextCommand[];
  /** The code of a deep link, or why it has none. */
  link(payload: string): readonly TextCommand[];
  /** The codes in the text of a picture's QR or bar code. */
  scan(text: string, reading: Reading): readonly string[];
};
