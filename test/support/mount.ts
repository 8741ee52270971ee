import type { FastifyInstance } from 'fastify';
import type { Channel } from '../../src/channels/channel.ts';

/** All routes of a channel on one server, as the app mounts them where there is no `ADMIN_PORT`. */
export async function mountChannel(app: FastifyInstance, channel: Channel): Promise<void> {
  for (const plugin of [channel.plugin, channel.staffPlugin]) if (plugin) await app.register(plugin);
}
