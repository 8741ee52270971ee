import { type Encryption, type Key, type RecordStore, SealBroken } from '../store/port.ts';

/** How long a file of staff is kept: an hour longer than its message may wait to be sent. */
const FILE_MS = 25 * 60 * 60 * 1000;

/**
 * Files that staff send, each in a separate value: a conversation's record is written with each message, so
 * it has only the name. They are sealed, and expire. All methods reject with `StoreUnavailable`.
 */
export class StaffFiles {
  readonly #store: Pick<RecordStore, 'read' | 'compareAndSwap'>;
  readonly #encryption: Encryption;

  constructor(parts: { store: Pick<RecordStore, 'read' | 'compareAndSwap'>; encryption: Encryption }) {
    this.#store = parts.store;
    this.#encryption = parts.encryption;
  }

  /** Keeps the file of a message, and resolves to its name. A repeat of the message keeps the first one. */
  async keep(ticket: string, note: string, bytes: Buffer): Promise<string> {
    const name = this.#encryption.name('file', `${ticket}\0${note}`);
    const key = keyOf(name);
    const sealed = this.#encryption.seal(key, bytes);
    await this.#store.compareAndSwap(key, { expected: null, bytes: sealed, ttlMs: FILE_MS, indexes: [] });
    return name;
  }

  /** Null: it has expired, or cannot be opened. */
  async read(name: string): Promise<Buffer | null> {
    const key = keyOf(name);
    const { bytes } = await this.#store.read(key);
    if (bytes === null) return null;
    try {
      return this.#encryption.open(key, bytes);
    } catch (error) {
      if (error instanceof SealBroken) return null;
      throw error;
    }
  }
}

const keyOf = (name: string): Key => `m:${name}`;
