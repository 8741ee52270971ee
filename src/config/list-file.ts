import { readFileSync } from 'node:fs';
import { z } from 'zod';

export type ListRead<Item> =
  | { readonly ok: true; readonly items: readonly Item[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads a JSON list of which no two have the same `name`; every fault names the place in the file. Never throws. */
export function readList<Name extends string, Item extends { readonly [key in Name]: string }>(
  path: string,
  schema: z.ZodType<Item>,
  name: Name,
): ListRead<Item> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return {
      ok: false,
      faults: [`${path} cannot be read: ${error instanceof Error ? error.message : error}`],
    };
  }
  const read = z.array(schema).safeParse(content);
  if (!read.success) {
    return {
      ok: false,
      faults: read.error.issues.map((issue) => `${place(path, issue.path)}: ${issue.message}`),
    };
  }
  const names = read.data.map((item) => item[name]);
  const repeated = names.flatMap((one, index) =>
    names.indexOf(one) < index ? [`${place(path, [index, name])}: ${one} is there already`] : [],
  );
  return repeated.length > 0 ? { ok: false, faults: repeated } : { ok: true, items: read.data };
}

/** `gifts.json[2].name.vi` */
function place(file: string, path: readonly PropertyKey[]): string {
  return file + path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
