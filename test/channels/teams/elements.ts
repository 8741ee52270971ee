type Json = Readonly<Record<string, unknown>>;

/** Every part of a card of that type (of any, if none is given), wherever it stands. */
export function elements(value: unknown, type?: string): Json[] {
  if (Array.isArray(value)) return value.flatMap((one) => elements(one, type));
  if (typeof value !== 'object' || value === null) return [];
  const isWanted = 'type' in value && (type === undefined || value.type === type);
  const here: Json[] = isWanted ? [{ ...value }] : [];
  return [...here, ...Object.values(value).flatMap((one) => elements(one, type))];
}
