import { readFileSync } from 'node:fs';

type Row = readonly [text: string, result: string];

/**
 * The rows of `test/language/<file>`, by its headings: `result: sentence | sentence`, and on the next line `|
 * sentence`. `""` is no text at all, `\\u200b` a character that nobody sees.
 */
function readSentences(file: string): Readonly<Record<string, readonly Row[]>> {
  const source = readFileSync(new URL(`../language/${file}`, import.meta.url), 'utf8');
  const [head = '', ...parts] = source.replaceAll('\n  | ', ' | ').split(/^# /m);
  const rowsOf = (lines: readonly string[]) =>
    lines.flatMap((line) => {
      const [result = '', texts = ''] = line.split(/: (.*)/);
      return texts === '' ? [] : texts.split(' | ').map((text): Row => [unescaped(text), result]);
    });
  const titled = parts.map((part) => {
    const [title = '', ...lines] = part.split('\n');
    return [title, rowsOf(lines)] as const;
  });
  // Its first line says what it is.
  return Object.fromEntries([['', rowsOf(head.split('\n').slice(1))], ...titled]);
}

function unescaped(text: string): string {
  if (text === '""') return '';
  return text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

export function sentencesOf(file: string, title = ''): readonly Row[] {
  const rows = readSentences(file)[title];
  if (!rows?.length) throw new Error(`${file} has nothing under "${title}"`);
  return rows;
}

/** Fails with every row of which `read` says something else. */
export function misread(rows: readonly Row[], read: (text: string) => string | undefined): readonly string[] {
  return rows.flatMap(([text, result]) => {
    const came = read(text) ?? 'nothing';
    return came === result ? [] : [`"${text}" is ${result}, not ${came}`];
  });
}
