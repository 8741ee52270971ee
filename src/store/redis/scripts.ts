import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';
import { STATE_MS } from '../store.ts';
import { confirmed } from './confirmed.ts';
import { GatheringRedis } from './overrides/gathering.ts';
import { type ScriptArgument, ScriptCall, scriptOf } from './overrides/script-call.ts';

const file = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
const record = file('record');

/** A script of one conversation begins with what they share: the record, the time, the lease. */
const ofConversation = (name: string, numberOfKeys: number) =>
  scriptOf(`${record}\n${file(name)}`, numberOfKeys);

/** Every script; its head comment says what it promises. The source is sent once on each connection. */
export const SCRIPTS = {
  accept: ofConversation('accept', 5),
  claim: ofConversation('claim', 4),
  renew: ofConversation('renew', 4),
  intend: ofConversation('intend', 5),
  commit: ofConversation('commit', 7),
  release: ofConversation('release', 5),
  peek: ofConversation('peek', 4),
  lock: scriptOf(file('lock'), 3),
  unlock: scriptOf(file('unlock'), 3),
  takeDead: scriptOf(file('take-dead'), 2),
  publish: scriptOf(file('publish'), 1),
  pace: scriptOf(file('pace'), 1),
  backlog: scriptOf(file('backlog'), 4),
  probe: scriptOf(file('probe'), 3),
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** Runs a script by its hash, or by its source where Redis does not know it. Strings come as buffers. */
export function runScript(
  commands: Redis | Cluster,
  script: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  // A cluster has to find the node, and gathers what goes to one: ioredis does that for its own commands.
  if (!(commands instanceof GatheringRedis)) return confirmed(commands[`${script}Buffer`](...keys, ...args));
  const call = new ScriptCall(commands, SCRIPTS[script], keys, args);
  commands.sendCommand(call);
  return confirmed(call.promise);
}

/** The numbers that a script of one conversation takes, as record.lua wants them. */
export function joinNumbers(...numbers: readonly number[]): string {
  return [STATE_MS, ...numbers].join(' ');
}

type ScriptCommands = {
  readonly [Command in `${ScriptName}Buffer`]: (...args: ScriptArgument[]) => Promise<unknown>;
};

declare module 'ioredis' {
  interface Redis extends ScriptCommands {}
  interface Cluster extends ScriptCommands {}
}
