import { z } from 'zod';

/*
 * Values that have every field of a schema, the optional ones too: samples of what a version stores
 * (`freeze.ts`). They are always the same, so that a test can tell whether a field is new.
 */

/** The part of JSON Schema that zod writes of our schemas. */
const nodeSchema = z.object({
  $ref: z.string().optional(),
  $defs: z.record(z.string(), z.unknown()).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  type: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
});

/** Texts that must make sense where a state is read or answered. The others are the name of their field. */
const TEXTS: Readonly<Record<string, string>> = {
  flow: 'accumulate',
  phone: '+84867123456',
  value: '+84867123456',
  meant: '+84867123456',
  email: 'garnacho@gmail.com',
  gift: 'DAUMAY01',
  code: 'TIVI000000101',
  codes: 'TIVI000000101',
  address: 'chi',
  key: 'menu',
};
/** Parts that a channel reads by itself. */
const PARTS: Readonly<Record<string, unknown>> = {
  at: { file: 'file' },
  address: { chat: 8675309 },
  press: { query: 'query' },
};
const AT_MS = 1_795_799_540_000;
/** A wording may hold wordings. */
const DEEPEST = 12;

type Place = {
  readonly name: string;
  readonly depth: number;
  readonly defs: Readonly<Record<string, unknown>>;
};

/** One value for each branch of the schema at least, each with all of its fields. */
export function completeValues(schema: z.ZodType): readonly unknown[] {
  const root = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return valuesOf(root, { name: 'text', depth: 0, defs: nodeSchema.parse(root).$defs ?? {} });
}

function valuesOf(schema: unknown, place: Place): readonly unknown[] {
  const node = nodeSchema.parse(schema);
  const deeper = { ...place, depth: place.depth + 1 };
  if (place.depth > DEEPEST) return [];
  if (PARTS[place.name] !== undefined && node.type !== 'string') return [PARTS[place.name]];
  if (node.$ref !== undefined) return valuesOf(place.defs[node.$ref.replace('#/$defs/', '')], deeper);
  if (node.const !== undefined) return [node.const];
  if (node.enum) return node.enum.slice(0, 1);
  const branches = node.anyOf ?? node.oneOf;
  if (branches) return branches.flatMap((branch) => valuesOf(branch, deeper));
  if (Array.isArray(node.type)) return node.type.flatMap((type) => valuesOf({ ...node, type }, deeper));
  switch (node.type) {
    case 'object':
      return objectsOf(node, deeper);
    case 'array':
      return [valuesOf(node.items, deeper)];
    case 'number':
    case 'integer':
      return [place.name.endsWith('Ms') ? AT_MS : 1];
    case 'boolean':
      return [true];
    case 'null':
      return [null];
    case 'string':
      return [TEXTS[place.name] ?? place.name];
    // Anything.
    default:
      return [{}];
  }
}

/**
 * As many objects as the field with the most values needs; the others repeat theirs. Where names are free,
 * one object has all values.
 */
function objectsOf({ properties, additionalProperties }: z.infer<typeof nodeSchema>, place: Place) {
  if (properties === undefined) {
    const values = additionalProperties ? valuesOf(additionalProperties, { ...place, name: 'any' }) : [];
    return [Object.fromEntries(values.map((value, at) => [`any${at + 1}`, value]))];
  }
  const fields = Object.entries(properties)
    .map(([name, schema]) => ({ name, values: valuesOf(schema, { ...place, name }) }))
    .filter(({ values }) => values.length > 0);
  const count = Math.max(1, ...fields.map(({ values }) => values.length));
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(fields.map(({ name, values }) => [name, values[at % values.length]])),
  );
}
