import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { freePort } from './ports.ts';

export type TestServer = AsyncDisposable & {
  readonly url: string;
  /** Connections accepted so far. */
  readonly connections: () => number;
};

export const serve = (listener: RequestListener): Promise<TestServer> => listen(createServer(listener));

export const serveTcp = (onSocket: (socket: Socket) => void): Promise<TestServer> =>
  listen(createTcpServer(onSocket));

export const closedPort = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

/** Lets it listen; its end cuts every connection. */
async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on('error', () => undefined));
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}
