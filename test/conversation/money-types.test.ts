import { expectTypeOf, test } from 'vitest';
import type { Command, Interpreter, PressCommand, TextCommand } from '../../src/conversation/commands.ts';
import type { Confirms } from '../../src/conversation/flow.ts';

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
