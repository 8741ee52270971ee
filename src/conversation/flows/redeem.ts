import { z } from 'zod';
import type { Gift } from '../context.ts';
import type { Decision } from '../decision.ts';
import { advance, edit, fill, take } from '../dialogue/form.ts';
import { answersTo, isSkip } from '../dialogue/values.ts';
import { defineFlow, type Flow, type Scope } from '../flow.ts';
import { fold } from '../language/fold.ts';
import type { Utterance } from '../language/understand.ts';
import { cancel } from '../prompts/help.ts';
import { proved, typed } from '../prompts/identity.ts';
import { readBackEmail, readBackPhone } from '../prompts/mask.ts';
import { CANCEL, confirm } from '../prompts/questions.ts';
import type { Line } from '../reply.ts';
import { type ConversationState, identitySchema } from '../state.ts';

/** Spending points on a gift: gift → proved phone or e-mail → summary → call. */
export const redeem: Flow = defineFlow({
  name: 'redeem',
  priority: 20,
  list: { type: 'gift' },
  identity: 'proved',
  claimsCode: (code, { settings }) => settings.gifts.some((gift) => gift.code === code),
  /** `code` is the gift's. */
  slots: identitySchema.extend({ code: z.string().optional() }),

  questions: {
    code: {
      ask({ settings }) {
        const gifts = settings.gifts.map(({ code, name, score }) => ({
          id: `gift:${code}`,
          label: { key: 'choice.gift', params: { name, score } },
        }));
        const key = gifts.length > 0 ? 'redeem.askGift' : 'redeem.askCode';
        return { key, choices: [...gifts, CANCEL], asks: 'code' };
      },
      /** A gift that the list has was taken by its name already, a customer whom staff named first by what names them. */
      answer(text, scope) {
        if (text.includes('@') && typed('', scope).proved) return { ok: 'email' };
        if (scope.settings.gifts.length > 0) return { ok: false, reason: 'gift.unknown' };
        const code = scope.language.readCode(text);
        return code.ok ? { ok: true, slots: { code: code.value } } : code;
      },
    },
  },

  missing(slots) {
    if (slots.code === undefined) return 'code';
    return proved(slots) === undefined ? 'phone' : undefined;
  },

  complete: (state, _, scope) => confirm(state, redeem, scope),

  read(utterance, scope) {
    const code = giftIn(utterance, scope);
    return code === undefined ? {} : { code };
  },

  /** The list of gifts tells "đổi loa" from other talk. */
  isWished(utterance, scope) {
    if (!utterance.understood.wishes) return false;
    const code = giftNamed(utterance, scope);
    const gift = scope.settings.gifts.find((one) => one.code === code);
    return gift !== undefined && isOf(gift, utterance.understood.rest);
  },

  misread: ({ understood }, { code }) =>
    understood.code !== undefined && code === undefined ? { key: 'gift.unknown' } : undefined,

  pressed(state, _, { name, value }, scope) {
    const isAsked = state.step.at === 'asking' && state.step.slot === 'code' && name === 'gift';
    const isListed = scope.settings.gifts.some(({ code }) => code === value);
    return isAsked && isListed ? fill(state, redeem, { code: value }, scope) : undefined;
  },

  said(state, { code }, utterance, scope) {
    const { step } = state;
    if (step.at === 'confirming')
      return utterance.understood.intent === redeem.name ? changeGift(state, utterance, scope) : undefined;
    if (step.at !== 'asking') return undefined;
    if (step.slot === 'phone') return changeGift(state, utterance, scope);
    if (step.slot !== 'code') return undefined;
    if (isSkip(utterance.understood))
      return code === undefined ? cancel(state, scope) : advance(state, redeem, scope);
    // A gift named by its label, as a keyboard of words would send it.
    return pickGift(state, utterance, scope);
  },

  confirmation: {
    kind: 'redeem',
    exclusive: true,
    edits: [{ id: 'edit:code', label: { key: 'choice.edit:gift' } }],

    summary({ code = '', phone, email }, _, scope) {
      const gift = scope.settings.gifts.find((one) => one.code === code);
      const lines: Line[] = gift
        ? [
            { key: 'summary.gift', params: { gift: gift.name } },
            { key: 'summary.price', params: { score: gift.score } },
          ]
        : [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
      if (phone) lines.push({ key: 'summary.phone', params: { phone: readBackPhone(phone.value, scope) } });
      if (email) lines.push({ key: 'summary.email', params: { email: readBackEmail(email.value, scope) } });
      return [...lines, { key: 'summary.irreversible' }, { key: 'summary.purpose', context: 'redeem' }];
    },

    effect(slots, operation) {
      const by = proved(slots);
      if (slots.code === undefined || by === undefined) return undefined;
      const other = by.kind === 'phone' ? slots.email : slots.phone;
      const kind = by.kind === 'phone' ? 'email' : 'phone';
      return {
        kind: 'redeem',
        operation,
        gift: slots.code,
        by,
        also: other ? { ...other, kind } : undefined,
      };
    },

    gift: ({ code }) => code,
  },
});

function pickGift(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  if (giftNamed(utterance, scope) === undefined) return undefined;
  return take(state, redeem, answersTo(redeem, utterance, scope), scope);
}

/** Another gift than the one at hand: the one that is named or, for "đổi quà khác", the list again. */
function changeGift(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const { intent, code, phone, email } = utterance.understood;
  const isWish = intent === redeem.name;
  if (intent !== undefined && !isWish) return undefined;
  const gift = giftNamed(utterance, scope);
  if (gift !== undefined) return gift === state.draft.code ? undefined : pickGift(state, utterance, scope);
  const isOther = isWish && (code ?? phone ?? email) === undefined;
  return isOther ? edit(state, redeem, 'code', scope) : undefined;
}

/** Where no list of gifts is known, AntCRM decides. */
function giftIn(utterance: Utterance, scope: Scope): string | undefined {
  const { gifts } = scope.settings;
  const { code } = utterance.understood;
  const isGift = gifts.length === 0 || gifts.some((gift) => gift.code === code);
  return giftNamed(utterance, scope) ?? (isGift ? code : undefined);
}

/**
 * The code of the gift that a text names, by code, name or the label of its button, or by words of its name that no
 * other gift has; marks do not matter.
 */
function giftNamed({ text, understood: { rest } }: Utterance, { settings }: Scope): string | undefined {
  // "loa@gmail.com" names nothing.
  const words = ` ${fold(text.replace(/\S*@\S*/g, ' '))} `;
  const gift = settings.gifts.find((one) => namesOf(one).some((name) => words.includes(` ${name} `)));
  if (gift) return gift.code;
  const [only, ...others] = rest === '' ? [] : settings.gifts.filter((one) => isOf(one, rest));
  return others.length === 0 ? only?.code : undefined;
}

function namesOf({ code, name }: Gift): string[] {
  return [code, ...Object.values(name)].map(fold);
}

/** Whether all these words are in the gift's names. */
function isOf(gift: Gift, text: string): boolean {
  const words = namesOf(gift).flatMap((name) => name.split(' '));
  return fold(text)
    .split(' ')
    .every((word) => word === '' || words.includes(word));
}
