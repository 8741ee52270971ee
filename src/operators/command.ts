import { parseArgs } from 'node:util';
import { parsePhone } from '../conversation/language/values/phone.ts';
import type { Sought } from './find.ts';

const PHONE = 'phone';

/** What a customer can be looked for by: an id of one of these channels, or a phone. */
export const namesOf = (channels: readonly string[]): readonly string[] => [...channels, PHONE];

/** The usage of the command, for channels of these names. */
export function usageOf(channels: readonly string[]): string {
  return `npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- find WHOM                      the same of one customer: ${[...channels.map((name) => `--${name} ID`), '--phone NUMBER'].join(' | ')}
npm run operations -- show REF [--reveal]            its story, and what to look for in AntCRM; --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
npm run operations -- remove ID                      removes a dead letter that nobody needs any more
Each with --json for machines.`;
}

/** `reference` names an operation, `id` a dead letter. */
export type Command =
  | { readonly kind: 'list' }
  | { readonly kind: 'find'; readonly sought: Sought }
  | { readonly kind: 'show'; readonly reference: string; readonly reveal: boolean }
  | { readonly kind: 'settle'; readonly reference: string; readonly result: 'done' | 'not-applied' }
  | { readonly kind: 'replay' | 'remove'; readonly id: string };

/** Reads the command line; undefined where it is none of `usageOf`. */
export function readCommand(
  args: readonly string[],
  channels: readonly string[],
): { command: Command; json: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(namesOf(channels).map((name) => [name, { type: 'string' as const }])),
        json: { type: 'boolean', default: false },
        reveal: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const { json, reveal, ...others } = values;
    const command = commandOf(positionals, reveal, Object.entries(others));
    return command && { command, json };
  } catch {
    return undefined;
  }
}

function commandOf(
  [name, subject, ...rest]: readonly string[],
  reveal: boolean,
  whom: readonly (readonly [name: string, value: unknown])[],
): Command | undefined {
  if (reveal && name !== 'show') return undefined;
  if (name === 'find' && subject === undefined) return findOf(whom);
  if (whom.length > 0) return undefined;
  if (subject === undefined) return name === 'list' ? { kind: 'list' } : undefined;
  const [result, ...others] = rest;
  const reference = asWritten(subject);
  if (name === 'settle' && (result === 'done' || result === 'not-applied') && others.length === 0) {
    return { kind: 'settle', reference, result };
  }
  if (rest.length > 0) return undefined;
  if (name === 'show') return { kind: 'show', reference, reveal };
  return name === 'replay' || name === 'remove' ? { kind: name, id: subject } : undefined;
}

/** A reference as the bot writes it, however an operator typed it. */
export const asWritten = (reference: string): string => reference.trim().toUpperCase();

function findOf(whom: readonly (readonly [name: string, value: unknown])[]): Command | undefined {
  const [[name, value] = ['', undefined], ...others] = whom;
  if (others.length > 0 || typeof value !== 'string') return undefined;
  const sought = soughtBy(name, value);
  return sought && { kind: 'find', sought };
}

/** `name`: a channel's, or `phone`. Undefined where the value can be none. */
export function soughtBy(name: string, value: string): Sought | undefined {
  if (name !== PHONE) return value === '' ? undefined : { channel: name, id: value };
  const phone = parsePhone(value);
  return phone.ok ? { phone: phone.value } : undefined;
}
