import type { ProveByCode } from '../conversation/proof.ts';
import { Transport } from '../http/transport.ts';
import { type CodeMessage, HttpProofGateway, type ProofGateway, type Sending } from './gateway.ts';
import { OneTimeCodes, type ProofOptions } from './proof.ts';

/** `url` and `token` of the operator's gateway (`PROOF_GATEWAY_URL`). */
export type GatewaySettings = { readonly url: string; readonly token: string | undefined };

/** What the console shows of a code: only while the sandbox is the backend. */
export type ShownCode = Pick<CodeMessage, 'phone' | 'text'> & { readonly atMs: number };

/** What the app uses of one-time codes. Without a gateway there is nothing to prove by or show. */
export type OpenProof = {
  readonly proveByCode?: ProveByCode;
  readonly shown?: () => readonly ShownCode[];
  close(): Promise<void>;
};

/** Opens one-time codes. `sandbox`: it is the backend, if it is there. */
export function openProof(
  settings: GatewaySettings | undefined,
  { sandbox, ...options }: Omit<ProofOptions, 'gateway'> & { readonly sandbox: unknown },
): OpenProof {
  if (settings === undefined) return { close: async () => {} };
  const real = new HttpProofGateway({ ...settings, transport: new Transport() });
  const shown = sandbox ? new ShownCodes(real, options.runtime) : undefined;
  const proof = new OneTimeCodes({ ...options, gateway: shown ?? real });
  return { proveByCode: proof.proveByCode, close: () => proof.close(), ...(shown && { shown: shown.list }) };
}

const MAX_SHOWN = 20;

/** Remembers the last texts of a gateway, in this process only. */
class ShownCodes implements ProofGateway {
  readonly #gateway: ProofGateway;
  readonly #runtime: Pick<ProofOptions['runtime'], 'nowMs'>;
  #codes: readonly ShownCode[] = [];

  constructor(gateway: ProofGateway, runtime: Pick<ProofOptions['runtime'], 'nowMs'>) {
    this.#gateway = gateway;
    this.#runtime = runtime;
  }

  /** The newest first. */
  readonly list = (): readonly ShownCode[] => this.#codes;

  send(message: CodeMessage): Promise<Sending> {
    const { phone, text } = message;
    this.#codes = [{ phone, text, atMs: this.#runtime.nowMs() }, ...this.#codes].slice(0, MAX_SHOWN);
    return this.#gateway.send(message);
  }

  close(): Promise<void> {
    return this.#gateway.close();
  }
}
