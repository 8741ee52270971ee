import type { Words } from '../../i18n.ts';
import type { Outgoing } from '../../turns/delivery.ts';
import type { StaffEvent } from './answer.ts';

/** A reply as staff get it: worded, its buttons labelled, its flags kept. */
export function render(
  { reply, locale, turn, last, state, trace }: Outgoing,
  seq: number,
  words: Words,
): StaffEvent {
  const { key, choices, asks, view, form, sharePhone, inPlace, notice, image } = reply;
  return {
    seq,
    key,
    text: words.text(reply, locale),
    choices: choices?.map(({ id, label }) => ({ id, label: words.line(label, locale) })),
    asks,
    view,
    form: form?.map((field) => ({ ...field, reason: field.reason && words.line(field.reason, locale) })),
    sharePhone,
    inPlace,
    notice,
    image,
    turn,
    last,
    state,
    trace,
  };
}
