import type { LoyaltyRecord } from './port.ts';

/*
 * Codes as AntCRM sends them back: perhaps in other letters, or as a JSON number, which has no leading zeros.
 */

const toSpelling = (code: string): string => code.trim().toLowerCase();

/** The same for all codes that AntCRM's answers may not tell apart. */
export function toCodeKey(code: string): string {
  const spelling = toSpelling(code);
  return /^\d+$/.test(spelling) ? spelling.replace(/^0+(?=.)/, '') : spelling;
}

export const isSameCode = (a: string, b: string): boolean => toSpelling(a) === toSpelling(b);

type CodedRecord = Pick<LoyaltyRecord, 'code' | 'isNumericCode'>;

/** Whether a record may be of the code. A record without a code may be of any. */
export function mayHaveCode({ code, isNumericCode }: CodedRecord, own: string): boolean {
  if (code === undefined) return true;
  return isNumericCode ? toCodeKey(code) === toCodeKey(own) : isSameCode(code, own);
}

/** Whether a record may be of more than one of these codes. */
export function isAmbiguous(record: CodedRecord, codes: readonly string[]): boolean {
  if (!record.isNumericCode) return false;
  return new Set(codes.filter((code) => mayHaveCode(record, code)).map(toSpelling)).size > 1;
}
