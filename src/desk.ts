import type { Base } from './base.ts';
import type { ChannelRegistry } from './channels/registry.ts';
import type { Config } from './config.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { Engine } from './engine/engine.ts';
import { Operators } from './engine/operators.ts';
import { Overload } from './operators/overload.ts';
import { createTickets } from './operators/tickets.ts';
import type { StaffFiles } from './records/staff-files.ts';
import { systemRuntime } from './runtime.ts';

/** What staff and operators do with the store, and how much waits in it. */
export function createDesk(
  { store, encryption, metrics }: Base,
  { config, channels, engine, conversation, staffFiles }: DeskParts,
) {
  const { observe } = metrics;
  const operators = new Operators({
    store,
    encryption,
    runtime: systemRuntime,
    readState: conversation.readState,
    onFiled: engine.schedule,
    onFault: (fault, name) => observe.alarm(fault, { conversation: name }),
  });
  const overload = new Overload({
    store,
    operators,
    runtime: systemRuntime,
    observe,
    isSaturated: engine.isSaturated,
    channels: channels.traits.map(({ name }) => name),
    maxBacklog: config.maxBacklog,
  });
  const tickets = createTickets({
    store,
    operators,
    runtime: systemRuntime,
    platform: channels.platform,
    files: staffFiles,
  });
  return { operators, overload, tickets };
}

type DeskParts = {
  readonly config: Config;
  readonly channels: ChannelRegistry<Config>;
  readonly engine: Engine;
  readonly conversation: Conversation;
  readonly staffFiles: StaffFiles;
};
