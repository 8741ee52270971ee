import { expect, expectTypeOf, test } from 'vitest';
import type { Command, Interpreter, PressCommand, TextCommand } from '../../src/conversation/commands.ts';
import type { Confirms } from '../../src/conversation/flow.ts';
import { CallPermit, type EffectContext } from '../../src/engine/perform.ts';
import type { AntCrm } from '../../src/loyalty/port.ts';

/* Held by the compiler (`npm run check`): what must not compile says so here. */

type Of<Did extends Command['do']> = Extract<TextCommand, { do: Did }>;
type OfConfirms<All> = All extends { kind: infer Kind; confirmsByText?: infer Word }
  ? { kind: Kind; confirmsByText?: Word }
  : never;

test('no words confirm, consent or erase, nor are they proof; a flow that spends takes no typed yes', () => {
  expectTypeOf<Of<PressCommand['do']>>().toEqualTypeOf<never>();
  expectTypeOf<ReturnType<Interpreter['interpret']>['commands'][number]>().toEqualTypeOf<TextCommand>();
  // @ts-expect-error: no words spend.
  const confirmed: TextCommand = { do: 'confirm', operation: 'K7M2-Q9X' };
  // @ts-expect-error: no words erase.
  const erased: TextCommand = { do: 'forget' };
  // @ts-expect-error: nor in what is offered for a text that was not understood.
  const offered: TextCommand = { do: 'unclear', likely: [{ do: 'confirm', operation: 'K7M2-Q9X' }] };
  // @ts-expect-error: typing proves nothing by itself.
  const typed: TextCommand = { do: 'set', slot: 'phone', value: '+84867123456', proved: true };
  const shared: Command = { do: 'set', slot: 'phone', value: '+84867123456', proved: true };
  const earns: OfConfirms<Confirms> = { kind: 'accumulate', confirmsByText: true };
  // @ts-expect-error: what spends takes its button.
  const spends: OfConfirms<Confirms> = { kind: 'redeem', confirmsByText: true };
  return [confirmed, erased, offered, typed, shared, earns, spends];
});

test('a call that changes points takes the permit that its stored intent returns', () => {
  const call = async (
    antcrm: AntCrm,
    context: EffectContext,
    intent: Parameters<EffectContext['intend']>,
  ) => {
    const request = { code: 'TIVI000000001', phone: '+84867123456' };
    // @ts-expect-error: without an intent there is no permit.
    void antcrm.accumulate(request);
    const permit = await context.intend(...intent);
    // @ts-expect-error: the store may have refused it, or given the lease away.
    void antcrm.accumulate({ ...request, permit });
    // @ts-expect-error: a permit cannot be made up.
    const own: CallPermit = { operation: 'op-1', use() {} };
    return permit === 'unreplicated' || permit === 'interrupted'
      ? own
      : antcrm.accumulate({ ...request, permit });
  };
  expectTypeOf(call).toBeFunction();
});

test('a permit is for one call', () => {
  const permit = new CallPermit('op-1');
  permit.use();
  expect(() => permit.use()).toThrow('op-1 has only one call');
});
