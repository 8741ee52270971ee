type Json = Readonly<Record<string, unknown>>;

/** Every part of a card of that type (of any, if none is given), wherever it stands. */
export function elements(value: unknown, type?: string): Json[] {
  if (Array.isArray(value)) return value.flatMap((one) => elements(one, type));
  if (typeof value !== 'object' || value === null) return [];
  const isWanted = 'type' in value && (type === undefined || value.type === type);
  const here: Json[] = isWanted ? [{ ...value }] : [];
  return [...here, ...Object.values(value).flatMap((one) => elements(one, type))];
}

/** Of a text what it says, of a card all its lines. */
export function wordsOf(shown: Json): string {
  return [shown, ...elements(shown, 'TextRun')].flatMap(({ text }) => text ?? []).join('\n');
}

/** The last button whose data looks so, and the card that has it. */
export function buttonOf(shown: readonly (Json & { readonly id: string })[], looks: RegExp) {
  const buttons = shown.flatMap((card) =>
    elements(card, 'Action.Submit').map(({ data }) => ({ card: card.id, data })),
  );
  const found = buttons.findLast(({ data }) => looks.test(JSON.stringify(data)));
  if (!found) throw new Error(`there is no button like ${looks}`);
  return found;
}
