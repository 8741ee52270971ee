import type { Locale } from '../../conversation/message.ts';
import type { Field } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { type Element, text } from './card.ts';

/**
 * What a field takes, as far as the client can check it: wide enough for every spelling that we read ourselves,
 * because a check that is stricter than ours would lock people out.
 */
const INPUTS: Readonly<Record<Field['slot'], Element>> = {
  // Ten of them, with blanks between.
  code: { maxLength: 700 },
  phone: { style: 'tel', maxLength: 40, regex: '^[+]?[0-9 ().-]{8,}$' },
  email: { style: 'email', maxLength: 254, regex: '^[^@ ]+@[^@ ]+[.][^@ ]+$' },
};

export function formTitle(locale: Locale, words: Words): string {
  return words.line({ key: 'teams.form.title' }, locale);
}

/**
 * A field with its label, and why its value was refused. The label is an element of its own, because Teams' mobile
 * clients do not know an input's `label`.
 */
export function fieldElements(
  { slot, required, value, reason }: Field,
  locale: Locale,
  words: Words,
): Element[] {
  const line = (key: string, context?: string) => words.line({ key: `teams.form.${key}`, context }, locale);
  const input: Element = {
    type: 'Input.Text',
    id: slot,
    placeholder: line('hint', slot),
    spacing: 'None',
    ...INPUTS[slot],
    ...(required && { isRequired: true }),
    errorMessage: line('fault', slot),
    ...(value !== undefined && { value }),
  };
  return [
    text(line('label', slot)),
    ...(reason ? [text(words.line(reason, locale), 'fault', { spacing: 'None' })] : []),
    input,
  ];
}
