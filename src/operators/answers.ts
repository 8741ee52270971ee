import type { Log } from '../observe.ts';
import type { Filed, OpenLetter, OpenOperation, Operators } from '../store/operators.ts';
import type { Command } from './command.ts';
import { describe, guide, lookupOf, summarize } from './operation.ts';
import { duration, table } from './table.ts';

/** What a command came to: the exit code (1: refused, or there is none), and the same for machines and for people. */
export type Answer = { readonly code: 0 | 1; readonly json: object; readonly lines: readonly string[] };

export type Tools = {
  readonly operators: Operators;
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  /** Keeps who unmasked what. */
  readonly log: Pick<Log, 'warn'>;
  /** Who runs the command. */
  readonly user: string | undefined;
  nowMs(): number;
};

/** Carries the command out. Rejects with `StoreUnavailable`. */
export async function answer(command: Command, tools: Tools): Promise<Answer> {
  const { operators } = tools;
  switch (command.kind) {
    case 'list':
      return list(tools);
    case 'show':
      return show(command, tools);
    case 'settle': {
      const { reference, result } = command;
      const heldBy = (operation: OpenOperation) => lookupOf(operation)?.customer;
      return told(await operators.settle(reference, result, heldBy), { reference, result });
    }
    case 'replay':
      return told(await operators.replay(command.id), { id: command.id });
  }
}

async function list({ operators, checksMs, nowMs }: Tools): Promise<Answer> {
  const operations = (await operators.operations()).map((one) => summarize(one, checksMs, nowMs()));
  const deadLetters = (await operators.letters()).map(summarizeLetter);
  const age = (at: string): string => duration(nowMs() - Date.parse(at));
  return {
    code: 0,
    json: { operations, deadLetters },
    lines: [
      `Operations without an outcome: ${operations.length}`,
      ...table(
        ['reference', 'kind', 'age', 'waits for', 'channel', 'conversation'],
        operations.map((one) => [
          ...[one.reference, one.kind, age(one.at), one.waitsFor, one.channel, one.conversation],
        ]),
      ),
      `Dead letters: ${deadLetters.length}`,
      ...table(
        ['id', 'reason', 'holds', 'age', 'channel', 'conversation'],
        deadLetters.map((one) => [
          ...[one.id, one.reason, one.holds, age(one.at), one.channel, one.conversation],
        ]),
      ),
    ],
  };
}

/** `holds`: the kind of the message, or `state`; null where it cannot be opened. */
function summarizeLetter({ id, conversation, atMs, reason, holds }: OpenLetter) {
  const message = holds === 'state' ? null : holds;
  return {
    id,
    reason,
    holds: message?.message.kind ?? (holds === 'state' ? holds : null),
    at: new Date(atMs).toISOString(),
    channel: message?.channel ?? null,
    conversation,
  };
}

async function show(
  { reference, reveal }: Extract<Command, { kind: 'show' }>,
  { operators, checksMs, nowMs, log, user }: Tools,
): Promise<Answer> {
  const operation = (await operators.operations()).find((one) => one.reference === reference);
  if (operation === undefined) return told('unknown', { reference });
  const lookup = lookupOf(operation);
  if (lookup === null) return told('unreadable', { reference });
  if (reveal) {
    const { conversation } = operation;
    log.warn({ operation: reference, conversation, user }, 'an operator was shown an identifier in full');
  }
  const json = { ...summarize(operation, checksMs, nowMs()), ...describe(lookup, reveal) };
  return { code: 0, json, lines: guide(json) };
}

const REFUSALS = {
  unknown: 'There is none of that name: it was settled, or never was. See: npm run operations -- list',
  unreadable:
    'It cannot be opened (is the key that sealed it STATE_KEY or STATE_KEY_PREVIOUS? did a newer version of the bot write it?), or is no message.',
  decided:
    'A decision on it was filed before, and counts. It stays in the list until a running bot has taken that up.',
  full: 'Too many messages wait in that conversation. Nothing was filed: try again in a minute.',
} as const satisfies Record<Exclude<Filed, 'filed'>, string>;

function told(status: Filed, about: object): Answer {
  if (status === 'filed') {
    return {
      code: 0,
      json: { ...about, status },
      lines: ['Filed: a running bot takes it up within seconds.'],
    };
  }
  const detail = REFUSALS[status];
  return { code: 1, json: { ...about, status, detail }, lines: [detail] };
}
