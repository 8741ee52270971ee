const LONGEST = 200;

/**
 * AntCRM's own words for a refusal, made fit for an operator's log: without what we sent (`sent`: code, phone, e-mail,
 * name), e-mails, anything with a digit in it and control characters; at most 200 characters.
 */
export function scrub(reason: string, sent: readonly (string | undefined)[]): string {
  const known = sent.filter((value): value is string => value !== undefined && value.length > 1);
  const withoutOurs = known.reduce(
    (text, value) => text.replaceAll(value, '*'),
    reason.slice(0, 10 * LONGEST),
  );
  return withoutOurs
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replace(/\S*@\S*/g, '*')
    .replace(/[\p{L}\p{N}+]*\p{N}[\p{L}\p{N}]*/gu, '*')
    .trim()
    .slice(0, LONGEST);
}
