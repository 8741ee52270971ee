import { connect } from 'node:net';
import type { HostPort } from './address.ts';

/** No sentence of Redis is longer than this, characters. */
const MAX_LENGTH = 300;

/**
 * What a Redis says before it is asked, if it refuses every connection: "DENIED Redis is running in protected
 * mode …". ioredis 6.0.0 takes the sentence for an answer to its handshake, and only tells a lost connection.
 * Undefined if Redis says nothing within `waitMs`. Never rejects.
 *
 * @example
 * await readRefusal({ host: 'redis', port: 6379 }, 500); // 'DENIED Redis is running in protected mode …'
 */
export function readRefusal({ host, port }: HostPort, waitMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: waitMs });
    const end = (sentence?: string): void => {
      socket.destroy();
      resolve(sentence);
    };
    socket.once('data', (bytes) => {
      const [, sentence] = /^-([^\r\n]*)/.exec(bytes.toString('utf8', 0, MAX_LENGTH)) ?? [];
      end(sentence);
    });
    socket.once('timeout', () => end());
    socket.once('error', () => end());
    socket.once('close', () => end());
  });
}
