import { z } from 'zod';
import { after, type Decision } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import { unseen } from '../dialogue/balance.ts';
import { advance, edit, fill, take } from '../dialogue/form.ts';
import { giftIn, giftNamed, giftsWanted, speaksOf } from '../dialogue/gifts.ts';
import { busy } from '../dialogue/operations.ts';
import { answersTo, isSkip } from '../dialogue/values.ts';
import { type Identifier, identifierSchema, type Outcome } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Utterance } from '../language/understand.ts';
import { giftChoices, giftOf, giftsToSuggest } from '../prompts/gifts.ts';
import { cancel } from '../prompts/help.ts';
import { carried, proved, typed, whose } from '../prompts/identity.ts';
import { readBackEmail, readBackPhone } from '../prompts/mask.ts';
import { CANCEL, confirm, home, pose } from '../prompts/questions.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, type Draft, identitySchema } from '../state.ts';

const slotsSchema = identitySchema.extend({
  /** The gift's. */
  code: z.string().optional(),
  /** How many were asked for, where it was more than one: each is an operation of its own. */
  wanted: z.number().optional(),
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
      ask(scope, { balance }) {
        if (scope.settings.gifts.length === 0)
          return { key: 'redeem.askCode', choices: [CANCEL], asks: 'code' };
        const points = balance?.points ?? undefined;
        const known = whose(scope) === 'staff' ? 'knownStaff' : 'known';
        return {
          key: 'redeem.askGift',
          ...(points !== undefined && { context: known, params: { points } }),
          choices: [...giftChoices(scope, points), CANCEL],
          asks: 'code',
        };
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
    // AntCRM may not have counted yet what it just gave.
    const points = unseen(state, scope.nowMs).length > 0 ? null : read;
    return advance(
      { ...state, draft: { ...state.draft, balance: { by, points, atMs: scope.nowMs } } },
      redeem,
      scope,
    );
  },

  complete(state, slots, scope) {
    const { gifts } = scope.settings;
    const { code: _, wanted: __, ...draft } = state.draft;
    const step = { at: 'asking', flow: redeem.name, slot: 'code', tries: 0 } as const;
    // A button of another day, or of nobody's.
    if (gifts.length > 0 && !giftOf(slots.code, scope))
      return pose({ ...state, draft }, step, scope, { key: 'gift.unknown' });
    const dear = tooDear(slots, scope);
    if (dear === undefined) return after(oneAtATime(slots, scope), confirm(state, redeem, scope));
    return gifts.some(({ score }) => score <= dear.params.points)
      ? pose({ ...state, draft }, step, scope, dear)
      : home(state, scope, dear);
  },

  read(utterance, scope) {
    const code = giftIn(utterance, scope);
    const wanted = giftsWanted(utterance, scope);
    return { ...(code !== undefined && { code }), ...((code ?? wanted) !== undefined && { wanted }) };
  },

  /** The list of gifts tells "đổi loa" from other talk. */
  isWished(utterance, scope) {
    if (!utterance.understood.wishes) return false;
    const gift = giftOf(giftNamed(utterance, scope), scope);
    return gift !== undefined && speaksOf(gift, utterance.understood.rest);
  },

  misread: ({ understood }, { code }) =>
    understood.code !== undefined && code === undefined ? { key: 'gift.unknown' } : undefined,

  /** `<how many>:<code>`: once more of what was redeemed. */
  shortcut(value) {
    const [, wanted, code] = /^(\d{1,2}):(.+)$/.exec(value) ?? [];
    return code === undefined ? undefined : { code, wanted: Number(wanted) };
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
    return isAsked && giftOf(value, scope) ? fill(state, redeem, { code: value }, scope) : undefined;
  },

  said(state, { code }, utterance, scope) {
    const { step } = state;
    if (step.at === 'confirming')
      return utterance.understood.intent === redeem.name
        ? changeGift(state, utterance, scope)
        : changeQuantity(state, utterance, scope);
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
    edits: () => [{ id: 'edit:code', label: { key: 'choice.edit:gift' } }],
    summary,
    image: ({ code }, scope) => giftOf(code, scope)?.image,

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

/** What is said where the gift costs more than the customer has; undefined where it does not, or either is not known. */
function tooDear(
  { code, balance }: Slots,
  scope: Scope,
): (Reply & { readonly params: { readonly points: number } }) | undefined {
  const gift = giftOf(code, scope);
  const points = balance?.points ?? undefined;
  if (!gift || points === undefined || gift.score <= points) return undefined;
  return {
    key: 'redeem.tooFewPoints',
    context: whose(scope),
    params: { gift: gift.name, price: gift.score, points, missing: gift.score - points },
  };
}

/** Several of a gift are as many redemptions, each confirmed by itself. */
function oneAtATime({ code, wanted = 1 }: Slots, scope: Scope): Reply[] {
  const gift = giftOf(code, scope);
  return wanted < 2 ? [] : [{ key: 'redeem.oneAtATime', params: { gift: gift?.name ?? code ?? '' } }];
}

function summary({ code = '', phone, email }: Slots, _: ConversationState, scope: Scope): Line[] {
  const gift = giftOf(code, scope);
  const lines: Line[] = gift
    ? [
        { key: 'summary.gift', params: { gift: gift.name } },
        ...(gift.description ? [{ key: 'summary.description', params: { text: gift.description } }] : []),
        { key: 'summary.price', params: { score: gift.score } },
      ]
    : [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
  if (phone) lines.push({ key: 'summary.phone', params: { phone: readBackPhone(phone.value, scope) } });
  if (email) lines.push({ key: 'summary.email', params: { email: readBackEmail(email.value, scope) } });
  const context = whose(scope) === 'staff' ? 'redeemStaff' : 'redeem';
  return [...lines, { key: 'summary.irreversible' }, { key: 'summary.purpose', context }];
}

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
  if (gift !== undefined && gift !== state.draft.code) return pickGift(state, utterance, scope);
  if (gift !== undefined) return changeQuantity(state, utterance, scope);
  const isOther = isWish && (code ?? phone ?? email) === undefined;
  return isOther ? edit(state, redeem, 'code', scope) : undefined;
}

/** "2 cái nhé" at the summary. */
function changeQuantity(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const wanted = giftsWanted(utterance, scope);
  const changed: Draft = { ...state.draft, wanted };
  return wanted === undefined ? undefined : advance({ ...state, draft: changed }, redeem, scope);
}
