import { codeAfter, codeOf, isMangledCode, reference } from './codes.ts';
import { visible } from './fold.ts';
import { intentOf, isExplained, typeOf } from './intent.ts';
import { type Segment, segments, type Word } from './phrases.ts';
import { findEmail, findPhone, isDate, type Token, tokenize } from './tokens.ts';
import { INTENTS, type Intent, type NamedPeriod } from './vocabulary.ts';
import { corrected, wordsOf } from './words.ts';

/** What a message says, as far as it says it. Nothing here is trusted more than any typed text. */
export type Understood = {
  readonly intent?: Intent | undefined;
  /** At least six characters with a letter and a digit; fewer, or digits only, right after an intent or "mã". */
  readonly code?: string | undefined;
  /** E.164. With `phoneAsk`, a guess to be asked about (`parsePhone`). */
  readonly phone?: string | undefined;
  readonly phoneAsk?: 'mapped' | 'leadingZero' | undefined;
  readonly email?: string | undefined;
  readonly emailSuggestion?: string | undefined;
  /** A Vietnamese keyboard rewrote this slot while it was typed; it is not repaired. */
  readonly mangled?: 'code' | 'email' | undefined;
  /** A word of the shape that operation ids have, upper case without its dash. It may be the `code` as well. */
  readonly reference?: string | undefined;
  readonly period?: NamedPeriod | undefined;
  /** Which history; only where the message asks for one, or says nothing else. */
  readonly type?: 'point' | 'gift' | undefined;
  /** The slot that an `edit` names. */
  readonly edits?: 'code' | 'phone' | 'email' | undefined;
  /** The words, as typed, that none of the above explains (typed dates among them), without polite fillers. */
  readonly rest: string;
};

/**
 * Reads free text: an intent and any number of slots in any order, Vietnamese with or without marks, English, the usual
 * abbreviations, slash commands with arguments. Words are matched as they are, then without the keystrokes of a Telex
 * or VNI keyboard and, where that finds no intent, by one slip of the finger; slots are never repaired.
 */
export function understand(text: string): Understood {
  const tokens = tokenize(visible(text));
  const command = commandOf(tokens[0]);
  const typed = tokens.filter((token, i) => !(command && i === 0) && !token.text.startsWith('@'));
  const email = findEmail(typed);
  const phone = findPhone(without(typed, email?.tokens));
  const others = without(without(typed, email?.tokens), phone?.tokens);
  const mangled = others.find(isMangledCode);
  const words = read(without(others, mangled ? [mangled] : []), command);
  const rest = others.filter((token) => isDate(token) || words.unexplained.has(token));
  const slots = words.code ?? phone ?? email;
  return {
    intent: words.intent ?? (typed.length === 0 && text.includes('?') ? 'help' : undefined),
    code: words.code?.text,
    ...(phone && { phone: phone.result.value, phoneAsk: phone.result.ask }),
    ...(email?.result.ok && { email: email.result.value, emailSuggestion: email.result.suggestion }),
    mangled: mangled ? 'code' : email && !email.result.ok ? 'email' : undefined,
    reference: reference(others, rest),
    period: words.period,
    type: words.intent === 'history' || (slots === undefined && rest.length === 0) ? words.type : undefined,
    edits: words.intent === 'edit' ? words.field : undefined,
    rest: rest.map(({ text }) => text).join(' '),
  };
}
