import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

/*
 * TypeScript checks each `@example` of `src`, as the body of a function. An example may use, without declaring them:
 * the exports of its file, `thing` for an exported type `Thing`
 * (also for `SomeThing`, where the comment is about it), and the names of `TYPES`. Other names are placeholders.
 */

/** Names that mean the same in all examples, with their types. */
const TYPES: Readonly<Record<string, string>> = {
  runtime: "import('../../../src/runtime.ts').Runtime",
  store: "import('../../../src/store/port.ts').RecordStore",
  app: "import('fastify').FastifyInstance",
};

/** Before the code of an example, which awaits. */
const HEAD = 'async () => {';
const FOLDER = 'node_modules/.cache/examples';

/** `subject`: the class or type that the comment is about, or in. */
type Example = { readonly file: string; readonly code: string; readonly subject: string };

/** The examples in the comments of a source. A comment inside a type is about that type. */
function parseExamples(file: string, source: string): Example[] {
  const types = [...source.matchAll(/^export (?:class|interface|type) (\w+)/gm)];
  return [...source.matchAll(/\/\*\*(.*?)\*\/\n( *)/gs)].flatMap((match) => {
    const [whole, comment = '', indent = ''] = match;
    const end = match.index + whole.length;
    const around =
      indent === '' ? types.find(({ index }) => index === end) : types.findLast(({ index }) => index < end);
    const [, code] = / \* @example\n(.*?)(?: \* @|$)/s.exec(comment) ?? [];
    const subject = around?.[1] ?? '';
    return code === undefined ? [] : [{ file, code: code.replace(/^ *\* ?/gm, ''), subject }];
  });
}

/** The names that a piece of code uses and does not declare. */
function freeNames(code: string): Set<string> {
  const { program, errors } = parseSync('example.ts', `${HEAD}${code}}`);
  if (errors[0]) throw new Error(`${errors[0].message}:\n${code}`);
  const names = new Map<number, string>();
  const declared = new Set<string>();
  const keys = new Set<number>();
  new Visitor({
    Identifier: ({ start, name }) => void names.set(start, name),
    MemberExpression: ({ computed, property }) => void (computed || keys.add(property.start)),
    Property: ({ shorthand, key }) => void (shorthand || keys.add(key.start)),
    VariableDeclarator({ id }) {
      const end = id.typeAnnotation?.start ?? id.end;
      for (const [name] of code.slice(id.start - HEAD.length, end - HEAD.length).matchAll(/\w+/g))
        declared.add(name);
    },
  }).visit(program);
  const free = [...names].filter(
    ([at, name]) => !keys.has(at) && !declared.has(name) && name !== 'const' && !(name in globalThis),
  );
  return new Set(free.map(([, name]) => name));
}

/** The values that a file exports, and its types; a generic type is one of anything. */
function exportsOf(file: string) {
  const source = readFileSync(file, 'utf8');
  const values = [...source.matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)];
  const types = [...source.matchAll(/^export (?:class|interface|type) (\w+)(<\w+>)?/gm)];
  return {
    values: new Set(values.map(([, name]) => name)),
    types: new Map(types.map(([, name = '', generic]) => [name, generic ? `${name}<any>` : name])),
  };
}

/** The module that TypeScript checks. Throws where it would check placeholders alone. */
function moduleOf({ file, code, subject }: Example): string {
  const { values, types } = exportsOf(file);
  const from = `import('../../../${file}')`;
  let checked = 0;
  const head = [...freeNames(code)].map((name) => {
    const isSubject = subject.toLowerCase().endsWith(name.toLowerCase());
    const thing = isSubject ? subject : `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const type = types.has(thing) ? `${from}.${types.get(thing)}` : TYPES[name];
    checked += Number(values.has(name) || types.has(name) || type !== undefined);
    if (values.has(name)) return `import { ${name} } from '../../../${file}';`;
    if (types.has(name)) return `import type { ${name} } from '../../../${file}';`;
    if (/^(?:Pick|Omit|Partial|Readonly|Record)$/.test(name)) return '';
    if (type === undefined && /^[A-Z]/.test(name)) return `type ${name} = any;\ndeclare const ${name}: any;`;
    return `declare const ${name}: ${type ?? 'any'};`;
  });
  if (checked === 0) throw new Error(`${file}: this example uses nothing of its file:\n${code}`);
  return [...head, 'export async function example() {', code, '}'].join('\n');
}

test('every example in a doc comment of src is right by its types', { timeout: 300_000 }, async () => {
  const files = globSync('src/**/*.ts');
  const examples = files.flatMap((file) => parseExamples(file, readFileSync(file, 'utf8')));
  expect(examples.length).toBeGreaterThanOrEqual(40);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  examples.forEach((example, n) => {
    const name = example.file.replaceAll('/', '-').replace('.ts', `-${n}.ts`);
    writeFileSync(join(FOLDER, name), moduleOf(example));
  });
  const compilerOptions = {
    noUnusedLocals: false,
    noImplicitReturns: false,
    tsBuildInfoFile: '../examples.json',
  };
  const settings = { extends: '../../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] };
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(settings));
  const output = await promisify(execFile)('node_modules/.bin/tsc', ['-p', FOLDER]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  // What a placeholder returns may be unknown.
  expect(output.split('\n').filter((line) => /error/.test(line) && !/TS18046/.test(line))).toEqual([]);
});
