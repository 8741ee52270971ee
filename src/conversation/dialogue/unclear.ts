import type { Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { fold, visible } from '../language/text.ts';
import type { ConversationState } from '../state.ts';
import { hasAgreed, question } from './questions.ts';

/*
 * What was not understood, for whoever looks after the words: of customers who agreed to be remembered, without what could
 * tell who they are.
 */

const KEPT = 20;
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;

/** The same decision; a text that got a fallback is kept, masked, with the question that it answered. */
export function unclearNoted(
  decision: Decision,
  before: ConversationState,
  written: string,
  scope: Scope,
): Decision {
  const { state } = decision;
  const isMissed = (state.misses ?? 0) > (before.misses ?? 0);
  if (!isMissed || !hasAgreed(state) || scope.sender.proof === 'token') return decision;
  const isAsked = before.step.at !== 'idle';
  const sentence = {
    atMs: scope.nowMs,
    text: masked(written, scope.sender.name),
    ...(isAsked && { question: question(before, scope).key }),
  };
  return { ...decision, state: { ...state, unclear: [...(state.unclear ?? []), sentence].slice(-KEPT) } };
}

/** The state without what its time is over for; the same one where nothing is. */
export function unclearLapsed(state: ConversationState, { nowMs }: Scope): ConversationState {
  const { unclear = [], ...rest } = state;
  const kept = unclear.filter(({ atMs }) => nowMs < atMs + KEPT_MS);
  if (kept.length === unclear.length) return state;
  return kept.length > 0 ? { ...rest, unclear: kept } : rest;
}

/** When the first of it must go, epoch ms; null: there is none. */
export function unclearUntilMs({ unclear: [first] = [] }: ConversationState): number | null {
  return first ? first.atMs + KEPT_MS : null;
}

const MASK = '***';

/**
 * On one line, without e-mails, links, whatever has digits (phones and codes, however they are spaced) and the customer's
 * name, with or without its marks.
 */
export function masked(text: string, name = ''): string {
  const names = new Set(fold(name).split(' '));
  const isName = (word: string): boolean => word.length > 1 && names.has(fold(word));
  return visible(text.normalize('NFKC'))
    .replace(/(?:\S+\s?)?@\s?\S*|\S+:\/\/\S+|www\.\S+|\S+\.\S+\/\S*/g, MASK)
    .replace(/\+?\p{Nd}[\p{Nd}\s\p{P}]{3,}\p{Nd}/gu, MASK)
    .replace(/\S*\p{Nd}\S*/gu, (word) => (/^\d{1,2}$/.test(word) ? word : MASK))
    .replace(/\p{L}+/gu, (word) => (isName(word) ? MASK : word));
}
