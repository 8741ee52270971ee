import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * What is wrong with a server that still accepts connections. `silent`: it reads, and does and answers nothing.
 * `slow`: it answers byte by byte. `cut`: it closes after the headers of its answer.
 */
export type Ailment = 'silent' | 'slow' | 'cut';

/** A TCP proxy in front of an HTTP server that can fall ill. */
export type AilingServer = {
  readonly url: string;
  readonly host: string;
  /** Holds for connections that are open already, too. */
  fall(ailment: Ailment): void;
  /** For all that comes from now on; what was not answered stays so. */
  recover(): void;
  stop(): Promise<void>;
};

const BYTE_MS = 50;
const HEADERS_END = '\r\n\r\n';

export async function startAilingServer(serverUrl: string): Promise<AilingServer> {
  const { port: serverPort } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let ailment: Ailment | null = null;

  const server = createServer((client) => {
    const upstream = connect(Number(serverPort), '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    const drip = dripInto(client);
    client.on('data', (data) => {
      if (ailment !== 'silent') upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (ailment === 'silent') return;
      if (ailment === 'slow' || drip.isBusy()) return drip.add(data);
      const end = ailment === 'cut' ? data.indexOf(HEADERS_END) : -1;
      if (end < 0) client.write(data);
      else client.end(data.subarray(0, end + HEADERS_END.length), cut);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const host = `127.0.0.1:${address.port}`;

  return {
    url: `http://${host}`,
    host,
    fall(next) {
      ailment = next;
    },
    recover() {
      ailment = null;
    },
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** Writes what is added byte by byte, until the socket is closed. */
function dripInto(socket: Socket): { add(data: Buffer): void; isBusy(): boolean } {
  const rest: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  function next(): void {
    const [first] = rest;
    if (first === undefined || socket.destroyed) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    socket.write(first.subarray(0, 1));
    if (first.length > 1) rest[0] = first.subarray(1);
    else rest.shift();
  }
  return {
    add(data) {
      rest.push(data);
      timer ??= setInterval(next, BYTE_MS);
    },
    isBusy: () => timer !== undefined,
  };
}
