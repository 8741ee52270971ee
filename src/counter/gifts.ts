import { type GiftNote, referenceOf } from '../conversation/gift-note.ts';
import { type RecordParts, VersionedRecords } from '../records/versioned-records.ts';
import type { Encryption } from '../store/port.ts';
import { codeOf } from './code.ts';
import { GIFT, type GiftRecord, handOver, takeNote } from './record.ts';

export type GiftOptions = Omit<RecordParts, 'sealer'> & { readonly encryption: Encryption };

/**
 * The counter's records of redeemed gifts. The store has a code only as the name of its record, a keyed hash.
 * AntCRM is never asked.
 *
 * @example
 * const gifts = new Gifts(options);
 * await gifts.note({ kind: 'redeemed', redemption });
 * const record = await gifts.find(gifts.codeOf(redemption.reference));
 */
export class Gifts {
  readonly #encryption: Encryption;
  readonly #records: VersionedRecords<GiftRecord>;

  constructor({ encryption, ...parts }: GiftOptions) {
    this.#encryption = encryption;
    this.#records = new VersionedRecords(GIFT, { ...parts, sealer: encryption });
  }

  /** The code that the customer of an operation shows. */
  readonly codeOf = (operation: string): string => codeOf(this.#encryption, operation);

  /** Takes a note of a turn, which may have come before. Rejects with `StoreUnavailable`. */
  async note(note: GiftNote): Promise<void> {
    await this.#records.update(this.#nameOf(this.codeOf(referenceOf(note))), takeNote(note));
  }

  /** The record of a code (`parseGiftCode`); null: no gift has it. Rejects with `StoreUnavailable`. */
  async find(code: string): Promise<GiftRecord | null> {
    const { record } = await this.#records.read(this.#nameOf(code));
    return record;
  }

  /** Hands a gift over, once. The record keeps who of staff did. Rejects with `StoreUnavailable`. */
  async handOver(code: string, by: string) {
    const { answer: result, record } = await this.#records.update(this.#nameOf(code), handOver(by));
    return { result, record };
  }

  #nameOf(code: string): string {
    return this.#encryption.name('gift', `record\0${code}`);
  }
}
