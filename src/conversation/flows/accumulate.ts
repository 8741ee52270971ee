import { z } from 'zod';
import { after, type Decision } from '../decision.ts';
import { defineFlow } from '../define-flow.ts';
import { advance, fill } from '../dialogue/form.ts';
import { countOutcome, tooManyAttempts } from '../dialogue/guessing.ts';
import { offer } from '../dialogue/offer.ts';
import { isSkip } from '../dialogue/values.ts';
import type { Known } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood } from '../language/understand.ts';
import { keepsOnly } from '../language/values/only.ts';
import { codeMeant, hasBeginning } from '../language/values/slips.ts';
import { cancel } from '../prompts/help.ts';
import { whose } from '../prompts/identity.ts';
import { maskEmail, maskPhone, showPhone } from '../prompts/mask.ts';
import { again, CANCEL, confirm, home, named, pose } from '../prompts/questions.ts';
import type { Choice, Field, Line } from '../reply.ts';
import { type ConversationState, type Identity, identitySchema } from '../state.ts';

/** So many codes are confirmed at once, at most. */
const MOST_CODES = 10;
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
  codeMeant: codeMeantBy,
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

  complete: (state, _, scope) => confirm(state, accumulate, scope),

  /** Another code is added, each counts once. Only where the one code is being corrected, it takes its place. */
  join({ step, profile }, known, asked) {
    const said = isOthers(asked, known, profile) ? { email: null, ...asked } : asked;
    if (said.codes === undefined) return { slots: { ...known, ...said } };
    const { codes = [] } = known;
    const isCorrected =
      step.at === 'asking' && step.slot === 'codes' && step.editing === true && codes.length === 1;
    const all = [...new Set([...(isCorrected ? [] : codes), ...said.codes])];
    return {
      slots: { ...known, ...said, codes: all.slice(0, MOST_CODES) },
      ...(all.length > MOST_CODES && {
        remark: { key: 'accumulate.tooManyCodes', params: { most: MOST_CODES } },
      }),
    };
  },

  read: ({ understood: { codes, noEmail } }, scope) => ({
    ...(codes.length > 0 && codeMeantBy(codes, scope) === undefined && { codes: [...codes] }),
    ...(noEmail && { email: null }),
  }),

  said(state, { codes = [] }, { text, understood }, scope) {
    const { step } = state;
    const { intent, codes: named } = understood;
    const isListed = named.length > 0 && named.every((one) => codes.includes(one));
    if (isListed && keepsOnly(text)) {
      const left = codes.filter((one) => !named.includes(one));
      return without(state, codes, left, scope);
    }
    const dropsNamed = isListed && (intent === 'cancel' || intent === 'nevermind' || intent === 'decline');
    if (intent === 'remove' || dropsNamed) return remove(state, codes, understood, scope);
    if (step.at !== 'asking') return undefined;
    // No code: whoever was only changing it goes back to the summary.
    if (step.slot === 'codes' && isSkip(understood))
      return codes.length === 0 ? cancel(state, scope) : advance(state, accumulate, scope);
    const [doubtful, ...others] = codes;
    const isSlip = doubtful !== undefined && others.length === 0 && doubtful.length < SURE_LENGTH;
    return isSlip && isOtherCode(understood, doubtful)
      ? offer(state, step, { why: 'code', value: understood.code ?? '', typed: doubtful }, scope)
      : undefined;
  },

  /** A code of the summary is left out; or one that was offered is taken, in the place of what was typed or beside it. */
  pressed(state, { codes = [] }, { name, value }, scope) {
    const { step } = state;
    if (step.at === 'confirming' && name === 'remove') {
      const code = codes[Number(value) - 1];
      return code === undefined ? undefined : without(state, codes, [code], scope);
    }
    if (step.at !== 'asking' || step.offer?.why !== 'code') return undefined;
    const { value: offered, typed = '' } = step.offer;
    const isThere = codes.includes(typed);
    const { draft } = state;
    const others = { ...draft, codes: codes.filter((code) => code !== typed) };
    switch (name) {
      case 'use':
        return fill({ ...state, draft: nonEmpty(others) }, accumulate, { codes: [offered] }, scope);
      case 'keep':
        return fill(state, accumulate, { codes: [isThere ? offered : typed] }, scope);
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

/** Of several codes none is asked about: what comes of each is told. */
function codeMeantBy(codes: readonly string[], { settings }: Scope): string | undefined {
  const [only, ...others] = codes;
  return only === undefined || others.length > 0 ? undefined : codeMeant(only, settings.codePrefixes);
}

/** One code can be corrected, of several each can be left out. */
function editsOfCodes(codes: readonly string[]): Choice[] {
  if (codes.length < 2) return [named('edit:code')];
  return codes.map((code, at) => ({
    id: `remove:${at + 1}`,
    label: { key: 'choice.remove', params: { code } },
  }));
}

/** "Bỏ mã TIVI000000302", or by how it ends: "bỏ mã 0302". */
function remove(
  state: ConversationState,
  codes: readonly string[],
  { codes: said, names, rest }: Understood,
  scope: Scope,
): Decision | undefined {
  if (said.length === 0 && names === 'email') return fill(state, accumulate, { email: null }, scope);
  if (said.length === 0 && names !== 'code') return undefined;
  const named = [...said, ...rest.split(' ').filter((word) => /^[\w.-]{3,}$/.test(word))];
  const isOnly = named.length === 0 && codes.length === 1;
  const left = isOnly ? codes : codes.filter((one) => isNamed(one, named));
  return left.length > 0
    ? without(state, codes, left, scope)
    : again(state, scope, { key: 'accumulate.removeWhich' });
}

const isNamed = (code: string, named: readonly string[]): boolean =>
  named.some((one) => code.toUpperCase().endsWith(one.toUpperCase()));

/** The flow goes on without some of its codes. */
function without(
  state: ConversationState,
  codes: readonly string[],
  left: readonly string[],
  scope: Scope,
): Decision {
  const draft = nonEmpty({ ...state.draft, codes: codes.filter((code) => !left.includes(code)) });
  const removed = left.map((code) => ({ key: 'accumulate.removed', params: { code } }));
  return advance({ ...state, draft }, accumulate, scope, ...removed);
}

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

/** Points for somebody else's number: the customer's own e-mail stays away from it, for AntCRM might join the two. */
function isOthers({ phone }: Identity, known: Identity, { phone: own }: Identity): boolean {
  const isReplaced = own !== undefined && known.phone?.value === own.value;
  return isReplaced && phone !== undefined && phone.value !== own.value;
}

/** Remembered and unproved: whoever writes now need not be who typed it then. */
function isReadBack(known: Known, remembered: Known | undefined): boolean {
  return !known.proved && known.value === remembered?.value;
}
