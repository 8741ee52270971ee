import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import { type RedisProxy, startRedisProxy } from '../../support/proxy.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

/** A log that keeps its lines. */
export function memoryLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, message: string): void => {
    lines.push(`${JSON.stringify(fields)} ${message}`);
  };
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}

/** Something that is stopped when the test has finished. */
export function stopAtEnd<Part extends { stop(): Promise<void> }>(part: Part): Part {
  onTestFinished(() => part.stop());
  return part;
}

export const ownRedis = async (...settings: string[]): Promise<RedisServer> =>
  stopAtEnd(await startRedis(...settings));

export const ownProxy = async (port: number): Promise<RedisProxy> => stopAtEnd(await startRedisProxy(port));

/** A connection that asks Redis itself, whatever becomes of it. */
export function adminOf({ port }: Pick<RedisServer, 'port'>): Redis {
  const admin = new Redis(port).on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}
