import type { CodeSent, CodeTried, ProofEffect, ProveByCode } from '../conversation/proof.ts';
import type { Words } from '../i18n.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { type RecordParts, VersionedRecords } from '../records/versioned-records.ts';
import { Bulkhead, NO_ROOM } from '../resilience/bulkhead.ts';
import type { Runtime } from '../runtime.ts';
import type { Encryption, RecordStore } from '../store/port.ts';
import type { CodeMessage, ProofGateway } from './gateway.ts';
import { ASKER, admit, issue, mayTry, NUMBER, noteRefused, noteWrong, tryCode, withdraw } from './limits.ts';

export type ProofOptions = {
  readonly gateway: ProofGateway;
  readonly store: RecordStore;
  readonly encryption: Encryption;
  readonly words: Pick<Words, 'text'>;
  readonly runtime: Runtime;
  readonly observe: Pick<Observe, 'code' | 'alarm'>;
};

/** Calls of the gateway at once in each process: one that hangs must not take all turns. */
const PLACES = 8;
const PATIENCE_MS = 1000;
const ALARM_EVERY_MS = 60_000;

type About = Parameters<ProveByCode>[1];
type EffectOf<Kind extends ProofEffect['kind']> = Extract<ProofEffect, { kind: Kind }>;

/**
 * Proves phones by one-time codes. The store has a code only as a keyed hash over code, phone, conversation
 * and purpose. No log, trace or metric has anything of it.
 */
export class OneTimeCodes {
  readonly #options: ProofOptions;
  readonly #numbers;
  readonly #askers;
  readonly #places: Bulkhead;
  readonly #alarmFailing: (result: string) => void;

  constructor(options: ProofOptions) {
    const { store, encryption: sealer, runtime, observe } = options;
    const onFault: RecordParts['onFault'] = (fault, name) => observe.alarm(fault, { conversation: name });
    const parts = { store, sealer, runtime, onFault };
    this.#options = options;
    this.#numbers = new VersionedRecords(NUMBER, parts);
    this.#askers = new VersionedRecords(ASKER, parts);
    const alarm = (result: string): void => observe.alarm('codes_failing', { result });
    this.#alarmFailing = atMostEvery(ALARM_EVERY_MS, alarm, runtime.monotonicMs);
    this.#places = new Bulkhead({ places: PLACES, patienceMs: PATIENCE_MS }, runtime);
  }

  readonly proveByCode: ProveByCode = async (effect, about) => {
    if (effect.kind === 'tryCode') {
      const tried = await this.#try(effect, about);
      this.#options.observe.code(tried.result);
      return tried;
    }
    const sent = await this.#send(effect, about);
    this.#options.observe.code(sent.result);
    return sent;
  };

  close(): Promise<void> {
    return this.#options.gateway.close();
  }

  /** Issues the code before it sends it: a lost answer, or a crash, never sends a second one by itself. */
  async #send({ phone, purpose, locale }: EffectOf<'sendCode'>, about: About): Promise<CodeSent> {
    const { runtime, words } = this.#options;
    const { number, by, id } = this.#namesOf(phone, about);
    const { answer: admission } = await this.#askers.update(by, admit(number));
    if (admission.kind === 'limited')
      return { kind: 'codeSent', result: 'limited', untilMs: admission.untilMs };
    const code = randomCode(runtime);
    const mac = this.#macOf({ code, phone, purpose }, about);
    const { answer: issued } = await this.#numbers.update(number, issue({ by, id, mac }));
    if (issued.kind === 'limited') return { kind: 'codeSent', result: 'limited', untilMs: issued.untilMs };
    if (issued.kind === 'repeated') return { kind: 'codeSent', result: 'unknown' };
    const params = { code, purpose: { key: `flow.${purpose}` } };
    const text = words.text({ key: 'identity.codeText', params }, locale);
    const result = await this.#hand({ phone, code, text, locale, id });
    if (result === 'refused' || result === 'unavailable')
      await this.#numbers.update(number, withdraw({ by, id }));
    if (result === 'refused') await this.#askers.update(by, noteRefused(id));
    return { kind: 'codeSent', result };
  }

  async #hand(message: CodeMessage) {
    const sending = await this.#places.run(() => this.#options.gateway.send(message));
    const result = sending === NO_ROOM ? 'unavailable' : sending;
    // A gateway that refuses a number works.
    if (result === 'unavailable' || result === 'unknown') this.#alarmFailing(result);
    return result;
  }

  async #try({ phone, purpose, code }: EffectOf<'tryCode'>, about: About): Promise<CodeTried> {
    const { number, by, id } = this.#namesOf(phone, about);
    const { answer: admission } = await this.#askers.update(by, mayTry());
    if (admission.kind === 'limited')
      return { kind: 'codeTried', result: 'limited', untilMs: admission.untilMs };
    const mac = this.#macOf({ code, phone, purpose }, about);
    const { answer } = await this.#numbers.update(number, tryCode({ by, id, mac }));
    switch (answer.kind) {
      case 'right':
        return { kind: 'codeTried', result: 'right', provedMs: answer.provedMs };
      case 'wrong':
        await this.#askers.update(by, noteWrong(id));
        return { kind: 'codeTried', result: 'wrong', left: answer.left };
      case 'expired':
        return { kind: 'codeTried', result: 'expired' };
    }
  }

  #namesOf(phone: string, { conversation, message }: About) {
    const { encryption } = this.#options;
    return {
      number: encryption.name('proof', `number\0${phone}`),
      by: encryption.name('proof', `asker\0${conversation}`),
      id: encryption.name('proof', `message\0${conversation}\0${message}`),
    };
  }

  #macOf(secret: Readonly<Record<'code' | 'phone' | 'purpose', string>>, { conversation }: About): string {
    const { code, phone, purpose } = secret;
    return this.#options.encryption.name('proof', ['code', code, phone, conversation, purpose].join('\0'));
  }
}

const CODES = 1_000_000;
/** The largest multiple of a million in three bytes: above it, small codes would come more often. */
const FAIR = 16 * CODES;

/** Six digits, each code as likely as any other. */
function randomCode(runtime: Pick<Runtime, 'bytes'>): string {
  for (;;) {
    const drawn = runtime.bytes(3).readUIntBE(0, 3);
    if (drawn < FAIR) return String(drawn % CODES).padStart(6, '0');
  }
}
