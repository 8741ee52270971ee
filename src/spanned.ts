import type { FastifyPluginAsync } from 'fastify';
import type { Channel } from './channels/channel.ts';
import type { Conversation } from './conversation/conversation.ts';
import type { Perform } from './conversation/effect.ts';
import type { AntCrmClient } from './loyalty/antcrm.ts';
import type { CallOutcome, Read } from './loyalty/port.ts';
import type { Spans } from './observability/tracing.ts';

/*
 * The ports with a span around what is asked of them. Made by hand: what a span says is what is written here. Where nothing
 * is traced, they are the ports themselves.
 */

/** Each call, its repeats counted in. */
export function spannedAntCrm(antcrm: AntCrmClient, spans: Spans): AntCrmClient {
  if (!spans.isTracing) return antcrm;
  const asked = <Answer extends CallOutcome | Read<unknown>>(
    name: `antcrm ${'accumulate' | 'redeem' | 'history' | 'contact'}`,
    ask: () => Promise<Answer>,
  ): Promise<Answer> =>
    spans.around(name, {}, async () => {
      const answer = await ask();
      spans.note({ outcome: 'kind' in answer ? answer.kind : answer.ok ? 'ok' : answer.reason });
      return answer;
    });
  return {
    ...antcrm,
    accumulate: (request) => asked('antcrm accumulate', () => antcrm.accumulate(request)),
    redeem: (request) => asked('antcrm redeem', () => antcrm.redeem(request)),
    history: (query) => asked('antcrm history', () => antcrm.history(query)),
    contact: (by) => asked('antcrm contact', () => antcrm.contact(by)),
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
  if (!spans.isTracing) return step;
  return (...input) => {
    const startMs = performance.timeOrigin + performance.now();
    const stepped = step(...input);
    spans.since(startMs, 'step', {});
    return stepped;
  };
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
