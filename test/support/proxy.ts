import { connect } from 'node:net';
import { serveTcp } from './server.ts';

/** A TCP proxy in front of a Redis, which can lose answers. */
export async function startRedisProxy(firstPort: number) {
  let port = firstPort;
  let losing = false;
  const server = await serveTcp((client) => {
    const upstream = connect(port, '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', cut).on('close', cut);
    client.pipe(upstream);
    upstream.on('data', (data) => {
      if (!losing) return void client.write(data);
      losing = false;
      cut();
    });
  });
  return {
    url: server.url.replace('http:', 'redis:'),
    /** Cuts the connection instead of passing on what Redis answers to the next commands. */
    loseNextAnswer() {
      losing = true;
    },
    /** New connections go to another Redis; the open ones stay where they are. */
    switchTo(other: number) {
      port = other;
    },
    stop: async () => server[Symbol.asyncDispose](),
  };
}
