import type { Context } from '../context.ts';
import type { ProvableValue } from '../effect.ts';
import type { Flow } from '../flow.ts';
import { identityLines, isStaff, pickVariant } from '../prompts/identity.ts';
import { codeLines } from '../prompts/receipts.ts';
import { type Choice, choice, type Line, removeChoices } from '../reply.ts';

/** Earning points: codes, phone, e-mail, summary, a call for each code. */
export const accumulate: Flow = {
  name: 'accumulate',
  priority: 15,
  identity: 'typed',
  slots: ['codes', 'phone', 'email'],
  list: { type: 'point' },

  end: {
    kind: 'accumulate',
    confirmsByText: true,

    edits({ codes = [], email }) {
      const context = email ? undefined : 'none';
      return [...offerEdits(codes), choice('edit:phone'), choice('edit:email', { context })];
    },

    summary({ codes = [], phone, email }, profile, scope) {
      // Another person may have typed a remembered value that is not proved.
      const lines = identityLines({ phone, email }, (known, kind) => {
        return !known.proved && known.value === profile[kind]?.value;
      });
      return [...codeLines(codes), ...lines, describePurpose(phone, scope)];
    },

    brief: ({ codes = [] }) =>
      codes.length > 1
        ? { context: 'againSeveral', params: { codes: codes.length } }
        : { context: 'again', params: { code: codes[0] ?? '' } },

    effect({ codes = [], phone, email }, { operation, at }, { sender: { name } }) {
      const code = codes[at];
      if (code === undefined || phone === undefined) return undefined;
      return { kind: 'accumulate', operation, code, phone, email: email ?? undefined, name };
    },

    why: ({ codes: [code] = [] }) => (code === undefined ? {} : { context: 'code', params: { code } }),
  },
};

/** One code can be corrected, of several each can be left out. */
function offerEdits(codes: readonly string[]): Choice[] {
  if (codes.length < 2) return [choice('edit:code')];
  return removeChoices(codes);
}

/** What AntCRM gets: a name only with a proved number. */
function describePurpose(phone: ProvableValue | undefined, scope: Context): Line {
  const isNamed = phone?.proved === true && scope.sender.name !== undefined;
  const context = isNamed ? (isStaff(scope) ? 'namedStaff' : 'named') : pickVariant(scope);
  return { key: 'summary.purpose', context };
}
