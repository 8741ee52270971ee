import type { Known } from '../effect.ts';
import type { Flow } from '../flow.ts';
import { whose } from '../prompts/identity.ts';
import { maskEmail, maskPhone, showPhone } from '../prompts/mask.ts';
import { type Choice, choice, type Line } from '../reply.ts';

/** Earning points: codes → phone → e-mail (asked for once, may be skipped) → summary → a call for each code. */
export const accumulate: Flow = {
  name: 'accumulate',
  priority: 15,
  identity: 'typed',
  slots: ['codes', 'phone', 'email'],
  takes: { codes: true, link: true, form: true },
  list: { type: 'point' },
  guards: ['guesses', 'checked'],

  end: {
    kind: 'accumulate',
    exclusive: false,
    byWord: true,
    again: 'codes',

    edits({ codes = [], email }) {
      const context = email ? undefined : 'none';
      return [...editsOfCodes(codes), choice('edit:phone'), choice('edit:email', { context })];
    },

    summary({ codes = [], phone, email }, profile, scope) {
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
        const shown = isReadBack(email, profile.email) ? maskEmail(email.value) : email.value;
        lines.push({ key: 'summary.email', params: { email: shown } });
      }
      return [...lines, { key: 'summary.purpose', context: whose(scope) }];
    },

    effect({ codes = [], phone, email }, operation, { sender: { name } }, at) {
      const code = codes[at];
      if (code === undefined || phone === undefined) return undefined;
      return { kind: 'accumulate', operation, code, phone, email: email ?? undefined, name };
    },

    why: ({ codes: [code] = [] }) => (code === undefined ? {} : { context: 'code', params: { code } }),
  },
};

/** One code can be corrected, of several each can be left out. */
function editsOfCodes(codes: readonly string[]): Choice[] {
  if (codes.length < 2) return [choice('edit:code')];
  return codes.map((code, at) => choice(`remove:${at + 1}`, { key: 'choice.remove', params: { code } }));
}

/** Remembered and unproved: whoever writes now need not be who typed it then. */
function isReadBack(known: Known, remembered: Known | undefined): boolean {
  return !known.proved && known.value === remembered?.value;
}
