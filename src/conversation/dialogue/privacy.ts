import type { Scope } from '../flow.ts';
import { fold, mapWords, visible } from '../language/tokens.ts';
import {
  canProveByCode,
  identityLines,
  isStaff,
  mergeProfile,
  pickIdentity,
  pickProved,
  pickVariant,
} from '../prompts/identity.ts';
import { choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import { isOpen, newState, type State } from '../state.ts';
import { eraseTickets, supportLines } from './handover.ts';
import { addMenu, askAgain, CONSENT_CHOICES, goHome, remark, toQuestion } from './questions.ts';

/*
 * Customers' data: asks whether to remember it, shows it, erases it.
 */

/** The version of `privacy.consent`. Raise it when the text means something else. */
const CONSENT_VERSION = 2;

/**
 * Ends a flow. Asks whether phone and e-mail may be remembered, once for each version of the question. Staff
 * are not asked: they type for others.
 */
export function finishFlow(state: State, scope: Scope, reply: Reply): Decision {
  const { draft, consent, consentQuestion } = state;
  if (isStaff(scope)) return goHome(state, scope, reply);
  // The channel tells its own e-mail each time.
  const hasMore =
    draft.phone !== undefined || (draft.email != null && draft.email.value !== scope.sender.email);
  const isAsked = consent?.version === CONSENT_VERSION || consentQuestion?.version === CONSENT_VERSION;
  if (hasMore && !isAsked) return askConsent(state, scope, reply);
  const profile = consent?.given ? mergeProfile(state, draft, scope) : state.profile;
  // A shared phone stays for the next flow, as after an end by the customer.
  const kept = consent?.given === false ? {} : pickProved(draft, scope);
  return goHome({ ...state, step: { at: 'idle' }, draft: kept, profile }, scope, reply);
}

/** Asks in a separate message after the result. Nothing waits for the answer. */
function askConsent(state: State, scope: Scope, reply: Reply): Decision {
  const { view } = scope.ids;
  const named = pickIdentity(state.draft);
  const asked: State = {
    ...state,
    step: { at: 'idle' },
    draft: named,
    view,
    consentQuestion: { version: CONSENT_VERSION, open: { ...named, view, isLast: true } },
  };
  const { phone, email } = mergeProfile(state, named, scope);
  const context = phone && email ? undefined : email ? 'email' : 'phone';
  const question = {
    key: 'privacy.consent',
    context,
    choices: CONSENT_CHOICES,
    asks: 'consent',
    view,
  } as const;
  return say(asked, addMenu(asked, reply, scope), question);
}

/** Remembers phone and e-mail, or not. What is being done goes on. */
export function answerConsent(state: State, isGiven: boolean, scope: Scope): Decision {
  const next = noteConsent(state, isGiven, scope);
  return next ? remark(next, scope, tellConsent(isGiven)) : askAgain(state, scope);
}

/** Says that phone and e-mail are remembered, or are not. */
export const tellConsent = (isGiven: boolean): Reply => ({
  key: isGiven ? 'privacy.remembered' : 'privacy.declined',
});

/** The state with the answer to the consent question; undefined: it is not asked. */
export function noteConsent(state: State, isGiven: boolean, scope: Scope): State | undefined {
  const { unclear, consentQuestion, ...rest } = state;
  if (!consentQuestion?.open) return undefined;
  const isForgotten = !isGiven && state.step.at === 'idle';
  return {
    ...rest,
    ...(isGiven && unclear && { unclear }),
    ...(isForgotten && { draft: {} }),
    consent: {
      given: isGiven,
      version: CONSENT_VERSION,
      atMs: scope.nowMs,
      channel: scope.sender.channel,
    },
    profile: isGiven ? mergeProfile(state, consentQuestion.open, scope) : {},
  };
}

/** What is stored about the customer, and the button that erases it. */
export function describePrivacy(state: State, scope: Scope): Reply {
  const { operations, tickets = [], unclear = [], consent } = state;
  const counted = [
    {
      key: 'privacy.recent',
      params: { recent: operations.filter((operation) => !isOpen(operation)).length },
    },
    { key: 'privacy.person', params: { written: tickets.flatMap(({ notes }) => notes).length } },
    { key: 'privacy.unclear', params: { unclear: unclear.length } },
  ].filter(({ params }) => Object.values(params).some((count) => count > 0));
  const kept: Line[] = [
    ...identityLines(collectKept(state), () => !isStaff(scope)),
    ...operations.filter(isOpen).map(({ id }) => ({ key: 'privacy.operation', params: { reference: id } })),
    ...counted,
    ...(consent?.given ? [{ key: 'privacy.since', params: { at: consent.atMs } }] : []),
  ];
  const isNothing = kept.length === 0;
  const lines = [...(isNothing ? [{ key: 'privacy.nothing' }] : kept), ...supportLines(scope)];
  const choices = isNothing ? [] : [choice('forget')];
  // Who sends the codes gets the phone, too.
  const context = canProveByCode(scope) ? 'code' : pickVariant(scope);
  return { key: 'privacy.text', context, lines, choices };
}

/** The phone and e-mail that are kept anywhere, what is being done first. */
function collectKept({ step, before, parked, consentQuestion, profile, draft }: State): State['profile'] {
  const by = step.at === 'browsing' ? step.page.by : undefined;
  return {
    ...(by && { [by.kind]: { value: by.value, proved: true } }),
    ...pickIdentity(before ?? {}),
    ...pickIdentity(parked?.at(-1)?.draft ?? {}),
    ...pickIdentity(consentQuestion?.open ?? {}),
    ...profile,
    ...pickIdentity(draft),
  };
}

/** Erases all but open operations, the language and the count of refused codes, which stops guessing. */
export function forget(state: State, scope: Scope): Decision {
  const { locale, textLocale, guesses } = state;
  const open = state.operations.filter(isOpen);
  const kept: State = {
    ...newState(scope.nowMs),
    operations: open,
    ...(locale && { locale }),
    ...(textLocale && { textLocale }),
    ...(guesses && { guesses }),
    ...eraseTickets(state, scope.nowMs),
  };
  const reply: Reply = { key: 'privacy.erased', context: open.length > 0 ? 'open' : undefined };
  return { ...goHome(kept, scope, reply), forget: true };
}

/*
 * Texts that were not understood, for people who improve the vocabulary: only of customers who agreed to be
 * remembered, and without personal data.
 */

const KEPT = 20;
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;

const MAX_NOT_UNDERSTOOD = 5;

/** Keeps a text that was not understood: for a ticket, and masked for the vocabulary. */
export function noteUnclear(
  decision: Decision,
  { before, text }: { readonly before: State; readonly text: string },
  scope: Scope,
): Decision {
  const isMissed = (decision.state.misses ?? 0) > (before.misses ?? 0);
  if (!isMissed) return decision;
  const notUnderstood = [...(before.notUnderstood ?? []), text].slice(-MAX_NOT_UNDERSTOOD);
  const state: State = { ...decision.state, notUnderstood };
  const hasAgreed = state.consent?.given === true && state.consent.version === CONSENT_VERSION;
  if (!hasAgreed || isStaff(scope)) return { ...decision, state };
  const question = before.step.at === 'idle' ? {} : { question: toQuestion(before, scope).key };
  const sentence = { atMs: scope.nowMs, text: maskText(text, scope.sender.name), ...question };
  return { ...decision, state: { ...state, unclear: [...(state.unclear ?? []), sentence].slice(-KEPT) } };
}

/** The state without expired texts; the same one if there are none. */
export function dropOldUnclear(state: State, { nowMs }: Scope): State {
  const { unclear = [], ...rest } = state;
  const kept = unclear.filter(({ atMs }) => nowMs < atMs + KEPT_MS);
  if (kept.length === unclear.length) return state;
  return kept.length > 0 ? { ...rest, unclear: kept } : rest;
}

/** When the first text expires, epoch ms; infinite: never. */
export const unclearUntilMs = ({ unclear = [] }: State): number =>
  Math.min(...unclear.map(({ atMs }) => atMs + KEPT_MS));

const MASK = '***';
const LINK = /@|:\/\/|www\.|^\.*[^.]+\.[^/]+\//;

/**
 * The text on one line, without e-mails, links, words with digits (phones, codes) and the customer's name.
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
