import { Redis } from 'ioredis';

/**
 * Writes the commands of one iteration of the event loop at once. ioredis' auto-pipelining does that, too, but at the cost of a
 * pipeline for each batch, and sends no batch before the previous one was answered: one slow command holds up all.
 */
export class GatheringRedis extends Redis {
  #gathering = false;

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    if (!this.#gathering && this.stream) this.#gather(this.stream);
    return super.sendCommand(...args);
  }

  #gather(stream: Redis['stream']): void {
    this.#gathering = true;
    stream.cork();
    setImmediate(() => {
      this.#gathering = false;
      stream.uncork();
    });
  }
}
