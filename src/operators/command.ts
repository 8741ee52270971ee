import { parseArgs } from 'node:util';

export const USAGE = `npm run operations -- list                           operations without an outcome, dead letters
npm run operations -- show REF [--reveal]            what to look for in AntCRM; --reveal unmasks, and is logged
npm run operations -- settle REF done|not-applied    what AntCRM showed: the bot tells the customer
npm run operations -- replay ID                      hands a dead letter's message in once more
Each with --json for machines.`;

/** `reference` names an operation, `id` a dead letter. */
export type Command =
  | { readonly kind: 'list' }
  | { readonly kind: 'show'; readonly reference: string; readonly reveal: boolean }
  | { readonly kind: 'settle'; readonly reference: string; readonly result: 'done' | 'not-applied' }
  | { readonly kind: 'replay'; readonly id: string };

/** Reads the command line; undefined where it is none of `USAGE`. */
export function readCommand(args: readonly string[]): { command: Command; json: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false }, reveal: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const command = commandOf(positionals, values.reveal);
    return command && { command, json: values.json };
  } catch {
    return undefined;
  }
}

function commandOf([name, subject, ...rest]: readonly string[], reveal: boolean): Command | undefined {
  if (reveal && name !== 'show') return undefined;
  if (subject === undefined) return name === 'list' ? { kind: 'list' } : undefined;
  const [result, ...others] = rest;
  // As the bot writes it, however it was read out.
  const reference = subject.toUpperCase();
  if (name === 'settle' && (result === 'done' || result === 'not-applied') && others.length === 0) {
    return { kind: 'settle', reference, result };
  }
  if (rest.length > 0) return undefined;
  if (name === 'show') return { kind: 'show', reference, reveal };
  return name === 'replay' ? { kind: 'replay', id: subject } : undefined;
}
