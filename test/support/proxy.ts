import { connect, type Socket } from 'node:net';
import { serveTcp } from './server.ts';

export type RedisProxy = Awaited<ReturnType<typeof startRedisProxy>>;

/** A TCP proxy in front of a Redis: it sees every command, and can lose answers. */
export async function startRedisProxy(firstPort: number) {
  let port = firstPort;
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let losing = false;

  const server = await serveTcp((client) => {
    const upstream = connect(port, '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const read = commandReader((name) => commands.push(name));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', cut);
    }
    client.on('data', (data) => {
      read(data);
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (losing) {
        losing = false;
        cut();
      } else client.write(data);
    });
  });

  return {
    url: server.url.replace('http:', 'redis:'),
    /** The commands sent so far over all connections, in lower case. */
    commands,
    /** Cuts the connection instead of passing on what Redis answers to the next commands. */
    loseNextAnswer() {
      losing = true;
    },
    /** Nothing passes on the open connections and nothing is cut, as when a cable is pulled. */
    pause() {
      for (const socket of sockets) socket.pause();
    },
    resume() {
      for (const socket of sockets) socket.resume();
    },
    /** New connections go to another Redis; the open ones stay where they are. */
    switchTo(other: number) {
      port = other;
    },
    stop: async () => server[Symbol.asyncDispose](),
  };
}

/** Reads the names of the commands out of a stream of RESP requests, however it is cut. */
function commandReader(onCommand: (name: string) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (let found = readCommand(rest); found !== null; found = readCommand(rest)) {
      onCommand(found.name);
      rest = rest.subarray(found.length);
    }
  };
}

/** The first whole request: `*<parts>\r\n`, then for each part `$<bytes>\r\n<part>\r\n`. */
function readCommand(data: Buffer): { name: string; length: number } | null {
  const headEnd = data.indexOf('\r\n');
  if (headEnd < 0) return null;
  let at = headEnd + 2;
  let name = '';
  for (let part = 0; part < Number(data.toString('latin1', 1, headEnd)); part++) {
    const lengthEnd = data.indexOf('\r\n', at);
    if (lengthEnd < 0) return null;
    const start = lengthEnd + 2;
    const end = start + Number(data.toString('latin1', at + 1, lengthEnd));
    if (data.length < end + 2) return null;
    if (part === 0) name = data.toString('latin1', start, end).toLowerCase();
    at = end + 2;
  }
  return { name, length: at };
}
