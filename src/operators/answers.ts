import type { Log } from '../observe.ts';
import type { Filed, OpenLetter, OpenOperation, Operators } from '../store/operators.ts';
import type { Command } from './command.ts';
import { type Found, find, type KnownChannel } from './find.ts';
import { describe, guide, lookupOf, summarize } from './operation.ts';
import { storyOf } from './story.ts';
import { duration, table } from './table.ts';

/** Why a command was refused, and left all as it was. */
export type Refusal = Exclude<Filed, 'filed'>;

/** What a command came to, for machines and for people. */
export type Answer =
  | { readonly ok: true; readonly json: object; readonly lines: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal; readonly about: object; readonly detail: string };

export type Tools = {
  readonly operators: Operators;
  /** Those that a customer can be looked for on. */
  readonly channels: readonly KnownChannel[];
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  /** Keeps who unmasked, settled, replayed and removed what. */
  readonly log: Pick<Log, 'warn'>;
  /** Who gives the command, as far as that is known. */
  readonly who: { readonly user?: string | undefined; readonly from?: string | undefined };
  nowMs(): number;
};

/** Carries the command out. Rejects with `StoreUnavailable`. */
export async function answer(command: Command, tools: Tools): Promise<Answer> {
  const { operators, log, who } = tools;
  switch (command.kind) {
    case 'list':
      return listed(
        { conversation: null, operations: await operators.operations(), letters: await operators.letters() },
        tools,
      );
    case 'find':
      return listed(await find(command.sought, operators, tools.channels), tools);
    case 'show':
      return show(command, tools);
    case 'settle': {
      const { reference, result } = command;
      const customerOf = (operation: OpenOperation) => lookupOf(operation)?.customer;
      const filed = await operators.settle(reference, result, customerOf);
      log.warn({ operation: reference, result, filed, ...who }, 'an operator settles an operation');
      return filed === 'unknown' ? none(reference, tools) : told(filed, { reference, result });
    }
    case 'replay': {
      const filed = await operators.replay(command.id);
      log.warn({ letter: command.id, filed, ...who }, 'an operator replays a dead letter');
      return told(filed, { id: command.id });
    }
    case 'remove': {
      const removed = await operators.remove(command.id);
      log.warn({ letter: command.id, removed, ...who }, 'an operator removes a dead letter');
      if (!removed) return told('unknown', { id: command.id });
      return { ok: true, json: { id: command.id, status: 'removed' }, lines: ['Removed.'] };
    }
  }
}

function listed({ conversation, ...found }: Found, { checksMs, nowMs }: Tools): Answer {
  const operations = found.operations.map((one) => summarize(one, checksMs, nowMs()));
  const deadLetters = found.letters.map(summarizeLetter);
  const age = (at: string): string => duration(nowMs() - Date.parse(at));
  return {
    ok: true,
    json: { ...(conversation !== null && { conversation }), operations, deadLetters },
    lines: [
      ...(conversation === null ? [] : [`In logs and in the store the conversation is ${conversation}`, '']),
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
  tools: Tools,
): Promise<Answer> {
  const { operators, checksMs, nowMs, log, who } = tools;
  const operations = await operators.operations();
  const operation = operations.find((one) => one.reference === reference);
  if (operation === undefined) return none(reference, tools);
  const lookup = lookupOf(operation);
  if (lookup === null) return told('unreadable', { reference });
  if (reveal) {
    const { conversation } = operation;
    log.warn({ operation: reference, conversation, ...who }, 'an operator was shown an identifier in full');
  }
  const [conversation, letters] = [
    await operators.conversation(operation.conversation),
    await operators.letters(),
  ];
  const json = {
    ...summarize(operation, checksMs, nowMs()),
    ...describe(lookup, reveal),
    story: storyOf({ operation, lookup, conversation, letters, checksMs }),
  };
  return { ok: true, json, lines: guide(json) };
}

/** Codes that were confirmed at once have an operation each, `<reference of the confirmation>.<n>`. */
async function none(reference: string, { operators }: Pick<Tools, 'operators'>): Promise<Answer> {
  const answered = told('unknown', { reference });
  const parts = (await operators.operations())
    .map((one) => one.reference)
    .filter((one) => one.startsWith(`${reference}.`));
  if (answered.ok || parts.length === 0) return answered;
  return { ...answered, detail: `Several codes were confirmed at once. Say which: ${parts.join(', ')}` };
}

const REFUSALS = {
  unknown: 'There is none of that name: it was settled, or never was. See: npm run operations -- list',
  unreadable:
    'It cannot be opened (is the key that sealed it STATE_KEY or STATE_KEY_PREVIOUS? did a newer version of the bot write it?), or is no message.',
  decided:
    'A decision on it was filed before, and counts. It stays in the list until a running bot has taken that up.',
  full: 'Too many messages wait in that conversation. Nothing was filed: try again in a minute.',
} as const satisfies Record<Refusal, string>;

function told(status: Filed, about: object): Answer {
  if (status !== 'filed') return { ok: false, refusal: status, about, detail: REFUSALS[status] };
  return {
    ok: true,
    json: { ...about, status },
    lines: ['Filed: a running bot takes it up within seconds.'],
  };
}
