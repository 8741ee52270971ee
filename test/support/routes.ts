import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { z } from 'zod';

/** A route of a bot that was built. */
export type BuiltRoute = {
  readonly method: string;
  readonly url: string;
  /** It answers with server-sent events. */
  readonly isStream: boolean;
};

/** Fastify tells of each instance that it makes. */
const INITIALIZATION = 'fastify.initialization';
const messageSchema = z.object({
  fastify: z.custom<FastifyInstance>((made) => typeof made === 'object' && made !== null),
});
const streamSchema = z.looseObject({
  response: z.looseObject({ 200: z.looseObject({ content: z.unknown() }) }),
});

function isStream({ schema }: RouteOptions): boolean {
  const { data } = streamSchema.safeParse(schema);
  return JSON.stringify(data?.response[200].content ?? {}).includes('text/event-stream');
}

/**
 * The routes of the bot that `build` makes, as fastify itself lists them, so that a new route is among them.
 * The embedded sandbox has a server of its own, which is left out: only the bot has a console.
 */
export async function collectRoutes<Built>(
  build: () => Promise<Built>,
): Promise<{ readonly built: Built; readonly routes: readonly BuiltRoute[] }> {
  const servers: BuiltRoute[][] = [];
  const onServer = (message: unknown): void => {
    const routes: BuiltRoute[] = [];
    servers.push(routes);
    messageSchema.parse(message).fastify.addHook('onRoute', (route) => {
      for (const method of [route.method].flat())
        routes.push({ method, url: route.url, isStream: isStream(route) });
    });
  };
  subscribe(INITIALIZATION, onServer);
  try {
    const built = await build();
    const ofBot = servers.filter((routes) => routes.some(({ url }) => url === '/console'));
    return { built, routes: ofBot.flat() };
  } finally {
    unsubscribe(INITIALIZATION, onServer);
  }
}
