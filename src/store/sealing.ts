import { type ReadState, UnknownFlow } from '../conversation/state.ts';
import type { Upgrades } from '../conversation/upgrades.ts';
import {
  type IntentBody,
  intentSchema,
  type Origin,
  type OutboxItem,
  outboxItemSchema,
  type Stored,
  storedSchema,
} from './bodies.ts';
import { type Incoming, incomingSchema } from './messages.ts';
import type { Seal } from './seal.ts';
import { lengthen, shorten } from './shorthand.ts';
import { marked, upgraded } from './versions.ts';

/** Characters; a customer with several operations comes to it. */
const LARGE_STATE = 1000;

/** What this kind of body changed from version to version, if anything. */
const NO_UPGRADES: Upgrades = {};

export function originOf({ channel, conversation, address, sender }: Incoming): Origin {
  const { proof, locale } = sender;
  return { channel, conversation, address, sender: { channel: sender.channel, proof, locale } };
}

export type Sealing = ReturnType<typeof createSealing>;

type Kind = 'message' | 'state' | 'outbox' | 'intent';

/**
 * The kinds of things that the store keeps, sealed and opened. Blobs are bound to their kind and conversation. Opening
 * reads what any version up to this one sealed; it throws `SealBroken`, `NewerVersion`, or another error where what is
 * inside has not the shape that its version says.
 */
export function createSealing(seal: Seal, read: ReadState) {
  const close = (kind: Kind, conversation: string, text: string): Buffer =>
    seal.seal(`${kind}:${conversation}`, text);
  const json = (body: object): string => JSON.stringify(marked(body));

  const open = (kind: Kind, conversation: string, sealed: Buffer): string =>
    seal.open(`${kind}:${conversation}`, sealed);

  return {
    message: {
      seal: (conversation: string, incoming: Incoming) => close('message', conversation, json(incoming)),
      open(conversation: string, sealed: Buffer): Incoming {
        const stored: unknown = JSON.parse(open('message', conversation, sealed));
        return incomingSchema.parse(upgraded(stored, NO_UPGRADES).body);
      },
    },
    state: {
      seal(conversation: string, stored: Stored): Buffer {
        const text = json(stored);
        // One that asks to be woken is replaced soon: most of those are not worth the time.
        const passing = stored.wakeAtMs !== null && text.length < LARGE_STATE;
        return close('state', conversation, passing ? text : shorten(text));
      },
      /** `unknownFlow`: the conversation was in a flow that this process does not have; the state is without it. */
      open(conversation: string, sealed: Buffer): Stored & { readonly unknownFlow?: true } {
        const text = lengthen(open('state', conversation, sealed));
        const { body, version } = upgraded(JSON.parse(text), NO_UPGRADES);
        const stored = storedSchema.parse(body);
        try {
          return { ...stored, state: read(stored.state, version) };
        } catch (error) {
          if (!(error instanceof UnknownFlow)) throw error;
          return { ...stored, state: error.ended, unknownFlow: true };
        }
      },
    },
    outbox: {
      seal: (conversation: string, item: OutboxItem) => close('outbox', conversation, json(item)),
      open(conversation: string, sealed: Buffer): OutboxItem {
        const stored: unknown = JSON.parse(open('outbox', conversation, sealed));
        return outboxItemSchema.parse(upgraded(stored, NO_UPGRADES).body);
      },
    },
    intent: {
      seal: (conversation: string, intent: IntentBody) => close('intent', conversation, json(intent)),
      open(conversation: string, sealed: Buffer) {
        const stored: unknown = JSON.parse(open('intent', conversation, sealed));
        return intentSchema.parse(upgraded(stored, NO_UPGRADES).body);
      },
    },
  };
}
