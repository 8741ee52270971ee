import type { Exchange, Transport } from '../http/transport.ts';

/** A code on its way to a phone (E.164). `text`: the whole sentence. `id` repeats only with the same code. */
export type CodeMessage = Readonly<Record<'phone' | 'code' | 'text' | 'locale' | 'id', string>>;

/** `sent`: the gateway took it. `refused`, `unavailable`: surely not sent. `unknown`: perhaps sent. */
export type Sending = 'sent' | 'refused' | 'unavailable' | 'unknown';

/** Sends a text to a phone: an SMS, a message on Zalo, a call. */
export interface ProofGateway {
  /** Tries once: each message costs money. Never throws. Answers within ten seconds. */
  send(message: CodeMessage): Promise<Sending>;
  /** Lets open calls finish. */
  close(): Promise<void>;
}

export type HttpGatewayOptions = {
  /** https, or http on this machine. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token: string | undefined;
  readonly transport: Pick<Transport, 'exchange' | 'close'>;
};

const TIMEOUT_MS = 8000;
/** The answer's status counts, never its body. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts the message to the operator's gateway (docs/operators.md, "One-time codes"). */
export class HttpProofGateway implements ProofGateway {
  readonly #options: HttpGatewayOptions;

  constructor(options: HttpGatewayOptions) {
    this.#options = options;
  }

  async send(message: CodeMessage): Promise<Sending> {
    const { url, token, transport } = this.#options;
    const { origin, pathname, search } = new URL(url);
    const exchange = await transport.exchange({
      method: 'POST',
      origin,
      path: pathname + search,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(message),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      // A stale connection could break and leave in doubt what was sent.
      isFresh: true,
    });
    return toSending(exchange);
  }

  close(): Promise<void> {
    return this.#options.transport.close();
  }
}

function toSending(exchange: Exchange): Sending {
  if (exchange.kind === 'unsent') return 'unavailable';
  if (exchange.kind !== 'answered') return 'unknown';
  const { status } = exchange;
  if (status >= 200 && status < 300) return 'sent';
  // The gateway may have sent it before it, or a proxy of it, failed.
  if (status < 200 || status === 408 || status >= 500) return 'unknown';
  // The operator's fault, or not now: another number would fare no better.
  const isNotNow = status < 400 || status === 401 || status === 403 || status === 404 || status === 429;
  return isNotNow ? 'unavailable' : 'refused';
}
