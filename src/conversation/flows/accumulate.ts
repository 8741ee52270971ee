import { z } from 'zod';
import { after } from '../decision.ts';
import { advance } from '../dialogue/form.ts';
import { countOutcome, tooManyAttempts } from '../dialogue/guessing.ts';
import { isSkip } from '../dialogue/values.ts';
import type { Known } from '../effect.ts';
import { defineFlow, type Flow } from '../flow.ts';
import { cancel } from '../prompts/help.ts';
import { maskEmail, maskPhone, showPhone } from '../prompts/mask.ts';
import { CANCEL, confirm, home, named, pose } from '../prompts/questions.ts';
import type { Field, Line } from '../reply.ts';
import { type Identity, identitySchema } from '../state.ts';

/** Earning points: codes → phone → e-mail (asked for once, may be skipped) → summary → a call for each code. */
export const accumulate: Flow = defineFlow({
  name: 'accumulate',
  priority: 15,
  list: { type: 'point' },
  identity: 'typed',
  claimsCode: () => true,
  claimsLink: true,
  slots: identitySchema.extend({ codes: z.array(z.string()).min(1).optional() }),

  questions: {
    codes: {
      ask: () => ({ key: 'accumulate.askCode', choices: [CANCEL], asks: 'code' }),
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

  read: ({ understood: { code, noEmail } }) => ({
    ...(code !== undefined && { codes: [code] }),
    ...(noEmail && { email: null }),
  }),

  /** No code: whoever was only changing it goes back to the summary. */
  said(state, { codes }, { understood }, scope) {
    const { step } = state;
    if (step.at !== 'asking' || step.slot !== 'codes' || !isSkip(understood)) return undefined;
    return codes === undefined ? cancel(state, scope) : advance(state, accumulate, scope);
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
    edits: [named('edit:code'), named('edit:phone'), named('edit:email')],

    summary({ codes = [], phone, email }, { profile }) {
      const lines: Line[] = codes.map((code) => ({ key: 'summary.code', params: { code } }));
      if (phone) {
        const shown = isReadBack(phone, profile.phone) ? maskPhone(phone.value) : showPhone(phone.value);
        lines.push({ key: 'summary.phone', params: { phone: shown } });
      }
      if (email) {
        const shown = isReadBack(email, profile.email ?? undefined) ? maskEmail(email.value) : email.value;
        lines.push({ key: 'summary.email', params: { email: shown } });
      }
      return [...lines, { key: 'summary.purpose' }];
    },

    effect({ codes, phone, email }, operation, { sender: { name } }) {
      const code = codes?.[0];
      if (code === undefined || phone === undefined) return undefined;
      return { kind: 'accumulate', operation, code, phone, email: email ?? undefined, name };
    },

    hindered: tooManyAttempts,
    counted: countOutcome,

    remarks(slots, { omitted }) {
      const perhaps = omitted ?? perhapsOmitted(slots);
      return perhaps ? [{ key: 'accumulate.omitted', context: perhaps }] : [];
    },

    /** Another code may be the right one, until there were too many. */
    refused(state, refusal, scope) {
      const wait = tooManyAttempts(state, scope);
      if (wait) return after([refusal], home(state, scope, wait));
      const { codes: _, ...draft } = state.draft;
      const step = { at: 'asking', flow: accumulate.name, slot: 'codes', tries: 0, editing: true } as const;
      return pose({ ...state, draft }, step, scope, refusal);
    },
  },
});

/** Remembered and unproved: whoever writes now need not be who typed it then. */
function isReadBack(known: Known, remembered: Known | undefined): boolean {
  return !known.proved && known.value === remembered?.value;
}

/**
 * The identifier that the linking rule may have left out. Said whether it was or not, unless both are proved: else the
 * answer would tell whether somebody has a record by a typed phone or e-mail.
 */
function perhapsOmitted({ phone, email }: Identity): 'phone' | 'email' | undefined {
  if (!phone || !email || (phone.proved && email.proved)) return undefined;
  return email.proved ? 'phone' : 'email';
}
