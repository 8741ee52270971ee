import { parentPort } from 'node:worker_threads';
import { openDecoder } from './decoder.ts';

/* Runs in the thread (`thread.ts`): says `ready`, then answers each picture's bytes with what the decoder made of them. */

if (parentPort === null) throw new Error('this runs in a thread of its own');
const port = parentPort;
const decode = await openDecoder();

// An error of the decoder, whose memory may be broken then, ends the thread: the next picture gets a new one.
port.on('message', async (bytes: Uint8Array) => {
  port.postMessage(await decode(bytes));
});
port.postMessage({ kind: 'ready' });
