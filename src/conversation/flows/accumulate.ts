import { z } from 'zod';
import { after, type Decision } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import {
  type Change,
  changeOf,
  doubtOf,
  instead,
  keptLine,
  typedAfterAll,
  withMore,
  without,
} from '../dialogue/code-list.ts';
import { advance, edit, fill, goOn, noting } from '../dialogue/form.ts';
import { countOutcome, tooManyAttempts } from '../dialogue/guessing.ts';
import { withoutChecked } from '../dialogue/operations.ts';
import { answersTo, bringsValue, isOthers, isSkip, namesAnother } from '../dialogue/values.ts';
import type { Known } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood } from '../language/understand.ts';
import { hasBeginning } from '../language/values/slips.ts';
import { cancel } from '../prompts/help.ts';
import { whose } from '../prompts/identity.ts';
import { maskEmail, maskPhone, showPhone } from '../prompts/mask.ts';
import { again, CANCEL, confirm, home, named, pose } from '../prompts/questions.ts';
import type { Choice, Field, Line } from '../reply.ts';
import { type ConversationState, identitySchema, type Step } from '../state.ts';

/** As long as codes are that need no announcement (`language/codes.ts`); a shorter one may be a slip. */
const SURE_LENGTH = 6;

/** Earning points: codes → phone → e-mail (asked for once, may be skipped) → summary → a call for each code. */
export const accumulate: Flow = defineFlow({
  name: 'accumulate',
  priority: 15,
  list: { type: 'point' },
  identity: 'typed',
  claimsCode: () => true,
  knowsCode: (code, { settings }) => hasBeginning(code, settings.codePrefixes),
  claimsLink: true,
  slots: identitySchema.extend({ codes: z.array(z.string()).min(1).optional() }),

  questions: {
    codes: {
      ask: () => ({ key: 'accumulate.askCode', choices: [CANCEL], asks: 'code' }),
      about: { what: 'answer.code.where', wrong: 'answer.code.wrong' },
      answer(text, { language }) {
        const code = language.readCode(text);
        return code.ok ? { ok: true, slots: { codes: [code.value] } } : code;
      },
    },
  },

  missing({ codes, phone, email }) {
    if (codes === undefined) return 'codes';
    if (phone === undefined) return 'phone';
    return email === undefined ? 'email' : undefined;
  },

  complete(state, { codes = [] }, scope) {
    const { left, told } = withoutChecked(state, 'accumulate', codes);
    const [first, ...others] = told;
    if (first && left.length === 0) return after(others, home(state, scope, first));
    return after(told, confirm({ ...state, draft: { ...state.draft, codes: left } }, accumulate, scope));
  },

  /** Another code is added, each counts once. Only where the one code is being corrected, it takes its place. */
  join({ step, profile }, before, asked, scope) {
    // Codes of their own come with whom staff name next: what was typed for the customer before is not theirs.
    const isNext = asked.codes !== undefined && namesAnother(before, asked, scope);
    const known: typeof before = isNext ? {} : before;
    const said = isOthers(asked, known, profile) ? { email: null, ...asked } : asked;
    if (said.codes === undefined) return { slots: { ...known, ...said } };
    const { codes = [] } = known;
    const isCorrected =
      step.at === 'asking' && step.slot === 'codes' && step.editing === true && codes.length === 1;
    const { codes: all, remark } = withMore(isCorrected ? [] : codes, said.codes);
    const fresh = isCorrected ? all : all.slice(codes.length);
    // One question at a time: what is asked about already comes first.
    const doubt = offerIn(step) ? undefined : doubtOf(all, fresh, scope.settings.codePrefixes);
    const left = isNext ? (before.codes ?? []) : [];
    const [removed] = without(left, left).told;
    const slots = { ...known, ...said, codes: [...all] };
    return { slots, remark: remark ?? removed, doubt };
  },

  noted: (said, { codes = [] }) =>
    said.codes !== undefined && codes.length > 1 ? keptLine(codes) : undefined,

  read: ({ understood: { codes, noEmail } }) => ({
    ...(codes.length > 0 && { codes: [...codes] }),
    ...(noEmail && { email: null }),
  }),

  said(state, { codes = [] }, utterance, scope) {
    const { understood } = utterance;
    const { intent, names } = understood;
    const { step } = state;
    if (intent === 'remove' && names === 'email') return fill(state, accumulate, { email: null }, scope);
    const offered = offerIn(step);
    // "Đổi quà TIVI000000017" asks for another flow, "đổi TIVI000000301 lấy …" speaks of the list.
    const isOthers = scope.flows.get(intent ?? '') !== undefined && intent !== accumulate.name;
    const isOfList = !isOthers || understood.codes.some((one) => codes.includes(one));
    const change =
      (isOfList ? changeOf(codes, utterance, offered?.typed) : undefined) ??
      (offered && typedAfterAll(codes, offered, understood.codes));
    if (change) {
      const { codes: _, ...others } = answersTo(accumulate, utterance, scope);
      const { slots: draft } = accumulate.join(state, others, scope);
      return changed({ ...state, draft }, codes, change, scope);
    }
    if (intent === 'edit' && names === 'code' && !bringsValue(understood) && codes.length > 0)
      return codes.length === 1
        ? edit(state, accumulate, 'code', scope)
        : again(state, scope, { key: 'codes.which', context: 'edit' });
    if (step.at !== 'asking' || offered) return undefined;
    // No code: whoever was only changing it goes back to the summary.
    if (step.slot === 'codes' && isSkip(understood))
      return codes.length === 0 ? cancel(state, scope) : advance(state, accumulate, scope);
    const [short = '', ...more] = codes;
    const isSlip = more.length === 0 && short !== '' && short.length < SURE_LENGTH;
    if (!isSlip || !isOtherCode(understood, short)) return undefined;
    const value = understood.code ?? '';
    const slots = { ...state.draft, codes: [...codes, value] };
    return goOn(state, accumulate, { slots, doubt: { typed: short, value } }, scope);
  },

  /** A code of the summary is left out; or one that is asked about takes the place of what was typed, or does not. */
  pressed(state, { codes = [] }, { name, value }, scope) {
    const { step } = state;
    if (step.at === 'confirming' && name === 'remove') {
      const code = codes[Number(value) - 1];
      return code === undefined ? undefined : changed(state, codes, without(codes, [code]), scope);
    }
    const offered = offerIn(step);
    if (!offered) return undefined;
    const { typed } = offered;
    const all = codes.includes(typed) ? codes : [...codes, typed];
    const decided = undecided(state);
    switch (name === 'keep' && typed.includes(' ') ? 'other' : name) {
      case 'use': {
        const said = instead(all, [typed], [offered.value]);
        return changed(
          decided,
          all,
          { codes: said, fresh: [offered.value, ...behind(all, typed)], told: [] },
          scope,
        );
      }
      case 'keep':
        return changed(decided, all, { codes: all, fresh: behind(all, typed), told: [] }, scope);
      case 'other': {
        const draft = nonEmpty({ ...state.draft, codes: all.filter((code) => code !== typed) });
        return pose(
          { ...state, draft },
          { at: 'asking', flow: accumulate.name, slot: 'codes', tries: 0 },
          scope,
        );
      }
      default:
        return undefined;
    }
  },

  form({ codes, phone, email }) {
    const fields: Field[] = [];
    if (codes === undefined) fields.push({ slot: 'code', required: true });
    if (phone === undefined) fields.push({ slot: 'phone', required: true });
    if (email === undefined) fields.push({ slot: 'email', required: false });
    return fields;
  },

  confirmation: {
    kind: 'accumulate',
    exclusive: false,
    byWord: true,
    codes: ({ codes = [] }) => codes,

    edits({ codes = [], email }) {
      const addEmail: Choice = { id: 'edit:email', label: { key: 'choice.edit:email', context: 'none' } };
      const emails = email ? named('edit:email') : addEmail;
      return [...editsOfCodes(codes), named('edit:phone'), emails];
    },

    summary({ codes = [], phone, email }, { profile }, scope) {
      const context = codes.length > 1 ? 'several' : undefined;
      const lines: Line[] = codes.map((code, at) => ({
        key: 'summary.code',
        context,
        params: { code, at: at + 1 },
      }));
      if (phone) {
        const shown = isReadBack(phone, profile.phone) ? maskPhone(phone.value) : showPhone(phone.value);
        lines.push({ key: 'summary.phone', params: { phone: shown } });
      }
      if (email) {
        const shown = isReadBack(email, profile.email ?? undefined) ? maskEmail(email.value) : email.value;
        lines.push({ key: 'summary.email', params: { email: shown } });
      }
      return [...lines, { key: 'summary.purpose', context: whose(scope) }];
    },

    effect({ codes = [], phone, email }, operation, { sender: { name } }, at) {
      const code = codes[at];
      if (code === undefined || phone === undefined) return undefined;
      return { kind: 'accumulate', operation, code, phone, email: email ?? undefined, name };
    },

    hindered: tooManyAttempts,
    counted: countOutcome,

    why({ codes = [] }) {
      const [code] = codes;
      return code === undefined ? {} : { context: 'code', params: { code } };
    },

    /** Another code may be the right one, until there were too many. */
    refused(state, refusal, scope) {
      const wait = tooManyAttempts(state, scope);
      if (wait) return after([refusal], home(state, scope, wait));
      const { codes: _, ...draft } = state.draft;
      const step = { at: 'asking', flow: accumulate.name, slot: 'codes', tries: 0, editing: true } as const;
      return pose({ ...state, draft }, step, scope, refusal);
    },

    /** What is left can be confirmed anew, unless there were too many guesses. */
    untried(state, codes, why, scope) {
      const wait = tooManyAttempts(state, scope);
      if (wait) return home(state, scope, wait);
      return advance({ ...state, draft: { ...state.draft, codes } }, accumulate, scope, why);
    },
  },
});

/** One code can be corrected, of several each can be left out. */
function editsOfCodes(codes: readonly string[]): Choice[] {
  if (codes.length < 2) return [named('edit:code')];
  return codes.map((code, at) => ({
    id: `remove:${at + 1}`,
    label: { key: 'choice.remove', params: { code } },
  }));
}

/** The list is another one: the flow goes on with it, unless a code of it is to be asked about. */
function changed(
  state: ConversationState,
  before: readonly string[],
  { codes, fresh, told }: Change,
  scope: Scope,
): Decision {
  const offered = offerIn(state.step);
  const isOver = offered !== undefined && !codes.includes(offered.typed);
  const suspects = isOver ? [...fresh, ...behind(before, offered.typed)] : fresh;
  const doubt = offered && !isOver ? undefined : doubtOf(codes, suspects, scope.settings.codePrefixes);
  const next = isOver ? undecided(state) : state;
  const slots = nonEmpty({ ...state.draft, codes: [...codes] });
  const decision = goOn(next, accumulate, { slots, doubt }, scope, ...told);
  return noting(state, accumulate, nonEmpty({ codes: [...codes] }), decision);
}

/** The code that is asked about. */
function offerIn(step: Step): { readonly typed: string; readonly value: string } | undefined {
  const offer = step.at === 'asking' ? step.offer : undefined;
  return offer?.why === 'code' && offer.typed !== undefined
    ? { typed: offer.typed, value: offer.value }
    : undefined;
}

/** The state without what was asked about. */
function undecided(state: ConversationState): ConversationState {
  if (state.step.at !== 'asking') return state;
  const { offer: _, ...step } = state.step;
  return { ...state, step };
}

/** The codes behind one of a list: of those none was asked about yet. */
const behind = (codes: readonly string[], code: string): readonly string[] =>
  codes.slice(codes.indexOf(code) + 1);

/** No code is no list of codes. */
function nonEmpty<Kept extends { readonly codes: readonly string[] }>(
  draft: Kept,
): Omit<Kept, 'codes'> | Kept {
  if (draft.codes.length > 0) return draft;
  const { codes: _, ...others } = draft;
  return others;
}

/** A text that says another code, and nothing else. */
function isOtherCode({ intent, code, codes, phone, email, names }: Understood, known: string): boolean {
  const isBare = (intent ?? phone ?? email ?? names) === undefined;
  return isBare && codes.length === 1 && code !== known;
}

/** Remembered and unproved: whoever writes now need not be who typed it then. */
function isReadBack(known: Known, remembered: Known | undefined): boolean {
  return !known.proved && known.value === remembered?.value;
}
