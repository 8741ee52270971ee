import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

export type ScriptArgument = string | Buffer | number;

export type Script = {
  readonly lua: string;
  readonly numberOfKeys: number;
  /** How a call begins on the wire, by the source's hash and by the source itself. */
  readonly byHash: string;
  readonly bySource: string;
  /** The connections whose Redis was given the source. */
  readonly knownTo: WeakSet<object>;
};

export function scriptOf(lua: string, numberOfKeys: number): Script {
  const sha = createHash('sha1').update(lua).digest('hex');
  const head = (...parts: string[]): string => [...parts, `${numberOfKeys}`].map(bulk).join('');
  return {
    lua,
    numberOfKeys,
    knownTo: new WeakSet(),
    byHash: head('EVALSHA', sha),
    bySource: head('EVAL', lua),
  };
}

/**
 * A call of a script on one Redis: by its hash where the connection has seen its source, and once more by its source where
 * Redis has forgotten it. Answers with buffers. ioredis' own custom commands do the same, but hand each argument on by
 * itself several times, which costs an eighth of a turn; here the bytes are encoded once.
 */
export class ScriptCall extends Command {
  readonly #script: Script;
  readonly #keys: readonly string[];
  readonly #args: readonly ScriptArgument[];
  /** The connection that it was last sent on by its hash. */
  #sentByHash: object | undefined;

  constructor(redis: Redis, script: Script, keys: readonly string[], args: readonly ScriptArgument[]) {
    super('evalsha');
    this.#script = script;
    this.#keys = keys;
    this.#args = args;
    const { reject } = this;
    this.reject = (error) => {
      const connection = this.#sentByHash;
      if (connection === undefined || !error.message.startsWith('NOSCRIPT')) return reject(error);
      script.knownTo.delete(connection);
      redis.sendCommand(this);
    };
  }

  /** ioredis asks for the bytes each time it sends the command: again, too, after a reconnect. */
  override toWritable(connection: object): Buffer {
    const { knownTo, byHash, bySource } = this.#script;
    const known = knownTo.has(connection);
    this.#sentByHash = known ? connection : undefined;
    knownTo.add(connection);
    return encoded(known ? byHash : bySource, this.#keys, this.#args);
  }
}

/** How Redis' protocol writes one part: https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings */
const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** The command, the hash or source, the number of keys. */
const PARTS_OF_HEAD = 3;

function encoded(head: string, keys: readonly string[], args: readonly ScriptArgument[]): Buffer {
  const parts: (string | Buffer)[] = [];
  let length = 0;
  let text = `*${PARTS_OF_HEAD + keys.length + args.length}\r\n${head}`;
  for (const key of keys) text += bulk(key);
  for (const arg of args) {
    if (Buffer.isBuffer(arg)) {
      text += `$${arg.length}\r\n`;
      parts.push(text, arg);
      length += Buffer.byteLength(text) + arg.length;
      text = '\r\n';
    } else text += bulk(String(arg));
  }
  parts.push(text);
  const bytes = Buffer.allocUnsafe(length + Buffer.byteLength(text));
  let at = 0;
  for (const part of parts) at += typeof part === 'string' ? bytes.write(part, at) : part.copy(bytes, at);
  return bytes;
}
