import type { FastifyPluginAsync } from 'fastify';
import type { Channel } from './channels/channel.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { Perform } from './conversation/perform.ts';
import type { AntCrm } from './loyalty/antcrm.ts';
import type { CallOutcome, Read } from './loyalty/loyalty.ts';
import type { Spans } from './spans.ts';
import type { ConversationStore } from './store/store.ts';

/*
 * The ports with a span around what is asked of them. Made by hand: what a span says is what is written here. Where nothing
 * is traced, they are the ports themselves.
 */

/** What a turn waits for, on its way to the reply. */
export function spannedStore(store: ConversationStore, spans: Spans): ConversationStore {
  if (!spans.isTracing) return store;
  return {
    ...store,
    lock: (customer, operation, forMs) =>
      spans.around('store lock', { operation }, async () => {
        const lock = await store.lock(customer, operation, forMs);
        spans.note({ outcome: lock.locked ? 'locked' : 'busy' });
        return lock;
      }),
    unlock: (customer, operation, ...record) =>
      spans.around('store unlock', { operation }, () => store.unlock(customer, operation, ...record)),
    intend: (lease, operation, body) =>
      spans.around('store intend', { operation }, async () => {
        const intended = await store.intend(lease, operation, body);
        spans.note({ outcome: intended.kind });
        return intended;
      }),
    recall: (conversation, operation) =>
      spans.around('store recall', { operation }, () => store.recall(conversation, operation)),
    commit: (lease, change) =>
      spans.around('store commit', {}, async () => {
        const committed = await store.commit(lease, change);
        spans.note({ outcome: committed ? 'committed' : 'stale' });
        return committed;
      }),
  };
}

/** Each call, its repeats counted in. */
export function spannedAntCrm(antcrm: AntCrm, spans: Spans): AntCrm {
  if (!spans.isTracing) return antcrm;
  async function outcome(asked: Promise<CallOutcome>): Promise<CallOutcome> {
    const answer = await asked;
    spans.note({ outcome: answer.kind });
    return answer;
  }
  async function reading<Value>(asked: Promise<Read<Value>>): Promise<Read<Value>> {
    const read = await asked;
    spans.note({ outcome: read.ok ? 'ok' : read.reason });
    return read;
  }
  return {
    ...antcrm,
    accumulate: (request) => spans.around('antcrm accumulate', {}, () => outcome(antcrm.accumulate(request))),
    redeem: (request) => spans.around('antcrm redeem', {}, () => outcome(antcrm.redeem(request))),
    history: (query) => spans.around('antcrm history', {}, () => reading(antcrm.history(query))),
    contact: (by) => spans.around('antcrm contact', {}, () => reading(antcrm.contact(by))),
  };
}

/**
 * The whole of an effect: what is read before the call, the intent, the call, and what is read after it. Also where nothing is
 * traced, for log lines are about its operation.
 */
export function spannedPerform(perform: Perform, spans: Spans): Perform {
  return (effect, context) => {
    const operation = 'operation' in effect ? effect.operation : undefined;
    return spans.around('perform', { effect: effect.kind, operation }, async () => {
      const outcome = await perform(effect, context);
      spans.note({ outcome: outcome.kind === 'checked' ? outcome.found : outcome.kind });
      return outcome;
    });
  };
}

export function spannedStep(step: Conversation['step'], spans: Spans): Conversation['step'] {
  return spans.isTracing ? (...input) => spans.during('step', () => step(...input)) : step;
}

/** Its webhooks, and asking its platform who wrote. */
export function spannedChannel<Spanned extends Channel>(channel: Spanned, spans: Spans): Spanned {
  if (!spans.isTracing) return channel;
  const { name, plugin, staffPlugin } = channel;
  const identify = channel.identify?.bind(channel);
  return {
    ...channel,
    ...(plugin && { plugin: spannedWebhooks(plugin, name, spans) }),
    ...(staffPlugin && { staffPlugin: spannedWebhooks(staffPlugin, name, spans) }),
    ...(identify && {
      identify: (incoming: Parameters<typeof identify>[0]) =>
        spans.around('identify', {}, () => identify(incoming)),
    }),
  };
}

/**
 * A span around each request to POST something, once it has been let in and read. It begins a trace: no caller's
 * `traceparent` is believed, for whoever writes to the bot would decide what is traced.
 */
function spannedWebhooks(plugin: FastifyPluginAsync, channel: string, spans: Spans): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRoute', (route) => {
      if (route.method !== 'POST') return;
      const { handler } = route;
      route.handler = async function spanned(request, reply) {
        const answered = async (): Promise<unknown> => {
          const answer: unknown = await handler.call(this, request, reply);
          spans.note({ status: reply.statusCode });
          return answer;
        };
        return spans.around('webhook', { channel }, answered, null);
      };
    });
    scope.register(plugin);
  };
}
