import { z } from 'zod';
import type { Gift } from '../context.ts';
import { after } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import { unseen } from '../dialogue/balance.ts';
import { advance, fill } from '../dialogue/form.ts';
import { changeGift, changeQuantity, pickGift, severalOf } from '../dialogue/gift-changes.ts';
import { giftIn, giftsNamed, giftsWanted, isNothingButGifts, speakOf } from '../dialogue/gifts.ts';
import { busy } from '../dialogue/operations.ts';
import { isSkip } from '../dialogue/values.ts';
import { type Identifier, identifierSchema, type Outcome } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import {
  askGift,
  giftLines,
  giftOf,
  giftsToSuggest,
  oneAtATime,
  priceChanged,
  tooFewPoints,
} from '../prompts/gifts.ts';
import { cancel } from '../prompts/help.ts';
import { carried, proved, typed, whose } from '../prompts/identity.ts';
import { readBackEmail, readBackPhone } from '../prompts/mask.ts';
import { CANCEL, confirm, home, pose } from '../prompts/questions.ts';
import { behind } from '../prompts/receipts.ts';
import type { Line } from '../reply.ts';
import { type Draft, identitySchema } from '../state.ts';

const slotsSchema = identitySchema.extend({
  /** The gift's. */
  code: z.string().optional(),
  /** The codes of the gifts that a text may have meant: one of them is to be picked. */
  among: z.array(z.string()).optional(),
  /** How many were asked for, where it was more than one: each is an operation of its own. */
  wanted: z.number().optional(),
  /** What the summary said that it costs. */
  price: z.number().optional(),
  /** What the customer had at that time; `points: null` where it is not known. */
  balance: z
    .strictObject({ by: identifierSchema, points: z.number().nullable(), atMs: z.number() })
    .optional(),
});

/** What was read longer ago is read again: points come in by other ways meanwhile. */
const FRESH_MS = 60_000;

type Slots = z.infer<typeof slotsSchema>;

/** Spending points on a gift: gift → proved phone or e-mail → summary → call. Who is proved sees their points first. */
export const redeem: Flow = defineFlow({
  name: 'redeem',
  priority: 20,
  list: { type: 'gift' },
  identity: 'proved',
  claimsCode: (code, scope) => giftOf(code, scope) !== undefined,
  slots: slotsSchema,

  questions: {
    code: {
      about: { what: 'answer.gift.which', wrong: 'answer.gift.which' },
      ask(scope, { balance, among }) {
        const { gifts } = scope.settings;
        if (gifts.length === 0) return { key: 'redeem.askCode', choices: [CANCEL], asks: 'code' };
        const points = balance?.points ?? undefined;
        const meant = gifts.filter(({ code }) => among?.includes(code));
        if (meant.length > 0) return askGift(meant, points, { context: 'several' });
        const context = whose(scope) === 'staff' ? 'knownStaff' : 'known';
        return askGift(gifts, points, points === undefined ? {} : { context, params: { points } });
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

  /** Whose points they are may change on the way, and how many. */
  reads({ balance, ...slots }, { nowMs }) {
    const by = proved(slots);
    if (by === undefined) return undefined;
    const isTheirs = balance?.by.kind === by.kind && balance.by.value === by.value;
    const isFresh = isTheirs && nowMs - balance.atMs <= FRESH_MS;
    return isFresh ? undefined : { kind: 'balance', by, exact: true };
  },

  outcome(state, slots, outcome, scope) {
    const by = proved(slots);
    if (by === undefined || !isAnswer(outcome)) return undefined;
    const read = outcome.kind === 'balance' ? (outcome.points ?? pointsOfNobody(by, slots)) : null;
    // AntCRM may not have counted yet what it just gave: said, and nothing is called too dear then.
    const isSure = unseen(state, scope.nowMs).length === 0;
    const balance = { by, points: isSure ? read : null, atMs: scope.nowMs };
    const remarks = isSure || read === null ? [] : [behind(read)];
    return advance({ ...state, draft: { ...state.draft, balance } }, redeem, scope, ...remarks);
  },

  complete(state, slots, scope) {
    const { gifts } = scope.settings;
    const { code, wanted, price: _, ...draft } = state.draft;
    const step = { at: 'asking', flow: redeem.name, slot: 'code', tries: 0 } as const;
    const gift = giftOf(slots.code, scope);
    // A button of before the operator changed the list.
    if (gifts.length > 0 && !gift) return pose({ ...state, draft }, step, scope, { key: 'gift.gone' });
    const dear = tooDear(slots, scope);
    if (dear) {
      const reply = tooFewPoints(dear.gift, dear.points, scope);
      return gifts.some(({ score }) => score <= dear.points)
        ? pose({ ...state, draft }, step, scope, reply)
        : home(state, scope, reply);
    }
    const known: Draft = { ...draft, code, wanted, price: gift?.score };
    const remarks = [
      ...(gift && isOutdated(slots, scope) ? [priceChanged(gift, slots.price ?? gift.score)] : []),
      ...((slots.wanted ?? 1) > 1 ? [oneAtATime(slots.code, scope)] : []),
    ];
    return after(remarks, confirm({ ...state, draft: known }, redeem, scope));
  },

  read(utterance, scope) {
    const { code, among } = giftIn(utterance, scope);
    const wanted = giftsWanted(utterance, scope);
    const isNamed = (code ?? among) !== undefined;
    const isAnew = isNamed || utterance.understood.intent === redeem.name;
    return {
      ...(isNamed && { code, price: undefined }),
      ...(isAnew && { among }),
      ...((isNamed || wanted !== undefined) && { wanted: severalOf(wanted) }),
    };
  },

  /** The list of gifts tells "đổi loa" and "2 loa" from other talk. */
  isWished(utterance, scope) {
    if (isNothingButGifts(utterance, scope)) return true;
    const gifts = utterance.understood.wishes ? giftsNamed(utterance, scope) : [];
    return gifts.length > 0 && speakOf(gifts, utterance);
  },

  misread: ({ understood }, { code, among }) =>
    understood.code !== undefined && (code ?? among) === undefined ? { key: 'gift.unknown' } : undefined,

  /** `<how many>:<code>`: once more of what was redeemed. */
  shortcut(value) {
    const [, wanted, code] = /^(\d{1,2}):(.+)$/.exec(value) ?? [];
    return code === undefined
      ? undefined
      : { code, among: undefined, wanted: severalOf(Number(wanted)), price: undefined };
  },

  shortcuts(state, points, scope) {
    const isKnown = proved(carried(state, scope)) !== undefined;
    const isFree = scope.serviceUp && busy(state, { kind: 'redeem', exclusive: true }) === undefined;
    if (!isKnown || !isFree) return [];
    return giftsToSuggest(scope, points).map(({ code, name, score }) => ({
      id: `${redeem.name}:1:${code}`,
      label: { key: 'choice.redeem.gift', params: { gift: name, score } },
    }));
  },

  pressed(state, _, { name, value }, scope) {
    const isAsked = state.step.at === 'asking' && state.step.slot === 'code' && name === 'gift';
    return isAsked
      ? fill(state, redeem, { code: value, among: undefined, price: undefined }, scope)
      : undefined;
  },

  said(state, { code }, utterance, scope) {
    const { step } = state;
    if (step.at === 'confirming')
      return utterance.understood.intent === redeem.name
        ? changeGift(state, redeem, utterance, scope)
        : changeQuantity(state, redeem, utterance, scope);
    if (step.at !== 'asking') return undefined;
    if (step.slot === 'phone') return changeGift(state, redeem, utterance, scope);
    if (step.slot !== 'code') return undefined;
    if (isSkip(utterance.understood))
      return code === undefined ? cancel(state, scope) : advance(state, redeem, scope);
    // A gift named by its label, as a keyboard of words would send it.
    return pickGift(state, redeem, utterance, scope);
  },

  confirmation: {
    kind: 'redeem',
    exclusive: true,
    edits: () => [{ id: 'edit:code', label: { key: 'choice.edit:gift' } }],
    summary({ code = '', price, phone, email }, _, scope) {
      const lines = giftLines(code, price, scope);
      if (phone) lines.push({ key: 'summary.phone', params: { phone: readBackPhone(phone.value, scope) } });
      if (email) lines.push({ key: 'summary.email', params: { email: readBackEmail(email.value, scope) } });
      const context = whose(scope) === 'staff' ? 'redeemStaff' : 'redeem';
      return [...lines, { key: 'summary.irreversible' }, { key: 'summary.purpose', context }];
    },
    image: ({ code }, scope) => giftOf(code, scope)?.image,

    effect(slots, operation, scope) {
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
        ...(isOutdated(slots, scope) && { outdated: true }),
      };
    },

    gift: ({ code }) => code,
    remarks: (_, { operation }) => [{ key: 'receipt.reference', params: { reference: operation } }],

    next({ code, wanted = 1 }, scope) {
      const gift = giftOf(code, scope);
      if (!gift || wanted < 2) return [];
      const label: Line = { key: 'choice.redeem.more', params: { gift: gift.name } };
      return [{ id: `redeem:${wanted - 1}:${gift.code}`, label }];
    },

    /** Whether the points were too few: AntCRM itself tells no reason. */
    why({ code }, { points }, scope) {
      const gift = giftOf(code, scope);
      if (!gift || points === undefined) return {};
      if (gift.score <= points) return { context: 'enough' };
      const context = whose(scope) === 'staff' ? 'shortStaff' : 'short';
      return { context, params: { price: gift.score, points } };
    },
  },
});

/** Of what it asks for; sums are no balance to rely on. */
function isAnswer({ kind }: Outcome): boolean {
  return kind === 'balance' || kind === 'sums' || kind === 'unavailable';
}

/** Of somebody whom AntCRM does not know: none, unless it may know them by what else is known of them. */
function pointsOfNobody({ kind }: Identifier, { phone, email }: Slots): number | null {
  return (kind === 'phone' ? email : phone) ? null : 0;
}

/** The gift at hand, and what the customer has where that is less than it costs. */
function tooDear(
  { code, balance }: Slots,
  scope: Scope,
): { readonly gift: Gift; readonly points: number } | undefined {
  const gift = giftOf(code, scope);
  const points = balance?.points ?? undefined;
  return gift && points !== undefined && gift.score > points ? { gift, points } : undefined;
}

/** The list says otherwise than the summary did: the operator changed it meanwhile. */
function isOutdated({ code, price }: Slots, scope: Scope): boolean {
  const gift = giftOf(code, scope);
  const isGone = gift === undefined && scope.settings.gifts.length > 0;
  return isGone || (price !== undefined && gift?.score !== price);
}
