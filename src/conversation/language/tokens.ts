import { type EmailResult, parseEmail } from './email.ts';
import { type PhoneResult, parsePhone } from './phone.ts';
import { QUOTES, trimEdges } from './text.ts';
import { anyOf, type Words } from './words.ts';

/** A piece of a message between blanks, as typed, without the punctuation of the sentence around it. */
export type Token = {
  readonly text: string;
  /** Punctuation stood before it. */
  readonly pause: boolean;
};

/** A word of a message, folded, and what it was read from. */
export type Word<Source> = {
  readonly text: string;
  readonly source: Source;
  /** Found by edit distance from so few letters that it counts as part of a longer phrase only. */
  readonly doubtful?: boolean | undefined;
  /** Written without marks in a message that has some. */
  readonly bare?: boolean | undefined;
};

const SEPARATORS = ',;:';
const ENDS = '.!?…';
const EDGES = `${QUOTES}()[]{}<>.!?…*#`;

/** `text` is `visible`. Blanks, commas, semicolons and colons separate: no slot contains them. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let pause = false;
  for (const piece of text.match(/[^\s,;:]+|[,;:]/g) ?? []) {
    const trimmed = trimEdges(piece, EDGES);
    if (SEPARATORS.includes(piece) || trimmed === '') pause = true;
    else {
      tokens.push({ text: trimmed, pause });
      pause = ENDS.includes(piece.slice(-1));
    }
  }
  return tokens;
}

type Found<Result> = { readonly result: Result; readonly tokens: readonly Token[] };

/** The first address; mangled ones count, since nothing else contains an `@`. */
export function findEmail(tokens: readonly Token[]): Found<EmailResult> | undefined {
  for (const token of tokens) {
    if (token.text.lastIndexOf('@') < 1) continue;
    const result = parseEmail(token.text);
    if (result.ok || result.reason === 'email.vietnamese') return { result, tokens: [token] };
  }
  return undefined;
}

/** `1/8`, `1.8.2023`, `8/2023`, `2023-08-31` and ranges of them without blanks. */
const DATE =
  /^(?:20\d\d\p{Pd}20\d\d|20\d\d[/-]\d{1,2}|\d{1,2}\p{Pd}\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?|\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?|\d{1,2}[/.-]\d{4}|\d{4}-\d{1,2}-\d{1,2})(?:-\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?)?$/u;
const PHONE_PIECE = /^(?:[+(]?[\d０-９oO()./\p{Pd}]+|＋)$/u;
/** Nobody writes a number in more groups than this. */
const MAX_GROUPS = 7;
/** Where so many numbers are none, no more are tried: reading one from abroad takes longer than all else here. */
const MAX_STARTS = 20;
const MIN_PHONE = 8;

export function isDate(token: Pick<Token, 'text'>): boolean {
  return DATE.test(token.text);
}

export function isDash(text: string): boolean {
  return /^\p{Pd}+$/u.test(text);
}

/** Finds the first run of tokens that is a phone number, the longest such run from there. */
export function createPhones(words: Words) {
  const labels = [...words.written('phone labels'), ...words.list('phone labels')];
  const label = new RegExp(`^(?:${anyOf(labels)})\\.?(?=\\+?\\d)`, 'iu');
  /** "sdt0912345678". */
  const withoutLabel = (text: string) => text.replace(label, '');

  function endOfRun(tokens: readonly Token[], from: number): number {
    const most = Math.min(tokens.length, from + MAX_GROUPS);
    let end = from;
    for (; end < most; end++) {
      const token = tokens[end];
      const text = token && (end === from ? withoutLabel(token.text) : token.text);
      if (!token || !text || !PHONE_PIECE.test(text) || isDate(token)) break;
      if (end === from && !/[\d０-９]/.test(text)) break;
    }
    return end;
  }

  return (tokens: readonly Token[]): Found<Extract<PhoneResult, { ok: true }>> | undefined => {
    for (let from = 0, starts = 0; from < tokens.length && starts < MAX_STARTS; from++) {
      const end = endOfRun(tokens, from);
      if (end > from) starts++;
      for (let to = end; to > from; to--) {
        const run = tokens.slice(from, to);
        const text = withoutLabel(run.map((token) => token.text).join(' '));
        const result = text.length < MIN_PHONE ? undefined : parsePhone(text);
        if (result?.ok) return { result, tokens: run };
      }
    }
    return undefined;
  };
}
