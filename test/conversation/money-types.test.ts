import { describe, expectTypeOf, it } from 'vitest';
import type { Command, Interpreter, PressCommand, TextCommand } from '../../src/conversation/commands.ts';
import type { Confirms } from '../../src/conversation/flow.ts';

/*
 * Held by the compiler (`npm run check`): what must not compile says so here.
 */

type Of<Did extends Command['do']> = Extract<TextCommand, { do: Did }>;

describe('What no text can say, by its type', () => {
  it('is a press: no words confirm, consent, erase or end a question', () => {
    expectTypeOf<Of<PressCommand['do']>>().toEqualTypeOf<never>();
    expectTypeOf<ReturnType<Interpreter['interpret']>['commands'][number]>().toEqualTypeOf<TextCommand>();
    // @ts-expect-error: no words spend.
    const confirmed: TextCommand = { do: 'confirm', operation: 'K7M2-Q9X' };
    // @ts-expect-error: no words erase.
    const erased: TextCommand = { do: 'forget' };
    // @ts-expect-error: nor in what is offered for a text that was not understood.
    const offered: TextCommand = { do: 'unclear', likely: [{ do: 'confirm', operation: 'K7M2-Q9X' }] };
    return [confirmed, erased, offered];
  });

  it('is proof of who somebody is', () => {
    // @ts-expect-error: typing proves nothing by itself.
    const typed: TextCommand = { do: 'set', slot: 'phone', value: '+84867123456', proved: true };
    const shared: Command = { do: 'set', slot: 'phone', value: '+84867123456', proved: true };
    return [typed, shared];
  });
});

describe('A flow, by its type', () => {
  it('that spends takes no typed yes', () => {
    const earns: ConfirmsByText = { kind: 'accumulate', confirmsByText: true };
    // @ts-expect-error: what spends takes its button.
    const spends: ConfirmsByText = { kind: 'redeem', confirmsByText: true };
    return [earns, spends];
  });
});

type ConfirmsByText = Confirms extends infer All
  ? All extends { kind: infer Kind; confirmsByText?: infer Word }
    ? { kind: Kind; confirmsByText?: Word }
    : never
  : never;
