import type { Scope } from '../flow.ts';
import { fold, mapWords, visible } from '../language/tokenizer.ts';
import { hasAgreed, isStaff } from '../prompts.ts';
import type { Decision } from '../reply.ts';
import type { State } from '../state.ts';
import { toQuestion } from './questions.ts';

/*
 * What was not understood, for whoever looks after the words: of customers who agreed to be remembered, without what could
 * tell who they are.
 */

const KEPT = 20;
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;

/** A ticket has so many of the last texts that were not understood. */
const MAX_NOT_UNDERSTOOD = 5;

/**
 * The same decision; a text that got a fallback is kept, for staff if a ticket opens, and masked with the question that it
 * answered for whoever looks after the words.
 */
export function noteUnclear(
  decision: Decision,
  { before, text }: { readonly before: State; readonly text: string },
  scope: Scope,
): Decision {
  const isMissed = (decision.state.misses ?? 0) > (before.misses ?? 0);
  if (!isMissed) return decision;
  const notUnderstood = [...(before.notUnderstood ?? []), text].slice(-MAX_NOT_UNDERSTOOD);
  const state: State = { ...decision.state, notUnderstood };
  if (!hasAgreed(state) || isStaff(scope)) return { ...decision, state };
  const question = before.step.at === 'idle' ? {} : { question: toQuestion(before, scope).key };
  const sentence = { atMs: scope.nowMs, text: maskText(text, scope.sender.name), ...question };
  return { ...decision, state: { ...state, unclear: [...(state.unclear ?? []), sentence].slice(-KEPT) } };
}

/** The state without what its time is over for; the same one where nothing is. */
export function dropOldUnclear(state: State, { nowMs }: Scope): State {
  const { unclear = [], ...rest } = state;
  const kept = unclear.filter(({ atMs }) => nowMs < atMs + KEPT_MS);
  if (kept.length === unclear.length) return state;
  return kept.length > 0 ? { ...rest, unclear: kept } : rest;
}

/** When the first of it must go, epoch ms; null: there is none. */
export function unclearUntilMs({ unclear: [first] = [] }: State): number | null {
  return first ? first.atMs + KEPT_MS : null;
}

const MASK = '***';
const LINK = /@|:\/\/|www\.|^\.*[^.]+\.[^/]+\//;

/**
 * On one line, without e-mails, links, whatever has digits (phones and codes, however they are spaced) and the customer's
 * name, with or without its marks.
 */
export function maskText(text: string, name = ''): string {
  const names = new Set(fold(name).split(' '));
  const isName = (word: string): boolean => word.length > 1 && names.has(fold(word));
  const joined = visible(visible(text).normalize('NFKC')).replace(/ ?@ ?/g, '@');
  const unlinked = mapWords(joined, (word) => (LINK.test(word) ? MASK : word));
  const uncalled = unlinked.replace(/\+?\p{Nd}[\p{Nd}\s\p{P}]{3,}\p{Nd}/gu, MASK);
  const isKept = (word: string) => /^\d{1,2}$|^\P{Nd}*$/u.test(word);
  return mapWords(uncalled, (word) =>
    isKept(word) ? word.replace(/\p{L}+/gu, (part) => (isName(part) ? MASK : part)) : MASK,
  );
}
