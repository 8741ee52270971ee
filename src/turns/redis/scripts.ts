import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';
import { confirmed } from './confirmed.ts';

const file = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
const record = file('record');

/** A script of one conversation begins with what they share: the record, the time, the lease. */
const ofConversation = (name: string, numberOfKeys: number) => ({
  lua: `${record}\n${file(name)}`,
  numberOfKeys,
});

/** Every script; its head comment says what it promises. Given to the client, which sends it once per connection. */
export const SCRIPTS = {
  accept: ofConversation('accept', 5),
  claim: ofConversation('claim', 4),
  renew: ofConversation('renew', 4),
  intend: ofConversation('intend', 5),
  commit: ofConversation('commit', 6),
  release: ofConversation('release', 4),
  hold: { lua: file('hold'), numberOfKeys: 2 },
  letGo: { lua: file('let-go'), numberOfKeys: 2 },
  takeDead: { lua: file('take-dead'), numberOfKeys: 2 },
  publish: { lua: file('publish'), numberOfKeys: 1 },
} as const;

type Script = keyof typeof SCRIPTS;
export type ScriptArgument = string | Buffer | number;

/** Runs a script by its hash; the client sends the source where Redis does not know it. Strings come as buffers. */
export function runScript(
  commands: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  return confirmed(commands[`${script}Buffer`](...keys, ...args));
}

type ScriptCommands = {
  readonly [Name in `${Script}Buffer`]: (...args: ScriptArgument[]) => Promise<unknown>;
};

declare module 'ioredis' {
  interface Redis extends ScriptCommands {}
  interface Cluster extends ScriptCommands {}
}
