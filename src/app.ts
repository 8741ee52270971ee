import type { AppOptions } from './app-options.ts';
import { type Base, openBase, openSecrets, stopParts } from './base.ts';
import { ChannelRegistry, type SharedParts } from './channels/registry.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import { createDesk } from './desk.ts';
import { openEngine } from './open-engine.ts';
import { createQrWriter } from './photos/qr.ts';
import { mountRoutes } from './routes.ts';

export type { AppOptions, Around } from './app-options.ts';

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}) {
  const base = await openBase(config, options);
  const { http, metrics, encryption, store } = base;
  const { observe } = metrics;
  const channels = new ChannelRegistry([...CHANNELS, ...(options.channels ?? [])]);
  const work = await openEngine(config, options, { base, channels });
  const { engine, conversation, words, backend, counter, staffFiles, photoReader, counterReader } = work;
  const { notices, proof } = work;
  const desk = createDesk(base, { config, channels, engine, conversation, staffFiles });
  const { operators, overload, tickets } = desk;
  await channels.open(config, createChannelParts(config, { base, work, desk }), options.around?.channel);
  channels.mount(http);
  mountRoutes({
    config,
    http,
    channels,
    words,
    gifts: backend.gifts,
    metrics,
    store,
    operators,
    backend,
    tickets,
    encryption,
    overload,
    codes: proof.shown,
    counter,
    photoReader: counterReader,
  });
  await http.ready();

  return {
    server: http.server,
    admin: http.admin,
    listen: http.listen,
    channels,
    /** Rejects with the reason if no message can be stored now. */
    checkStore: () => store.health(),
    /** Once it listens: begins to work on what is due, registers webhooks. */
    async start(): Promise<void> {
      engine.start();
      overload.start();
      await channels.start(observe.log);
    },
    stop: () =>
      stopParts(base, {
        engine,
        channels,
        others: [overload, backend, photoReader, counterReader, notices, proof],
      }),
  };
}

type OpenedParts = {
  readonly base: Base;
  readonly work: Awaited<ReturnType<typeof openEngine>>;
  readonly desk: ReturnType<typeof createDesk>;
};

/** What each channel may use. */
function createChannelParts(config: Config, { base, work, desk }: OpenedParts): SharedParts {
  const { http, metrics, encryption, feed } = base;
  return {
    accept: desk.overload.around(work.engine.accept),
    words: work.words,
    commands: work.conversation.commands,
    observe: metrics.observe,
    createLimit: http.createLimit,
    guard: http.guard,
    encryption,
    feed,
    createSecrets: openSecrets(base),
    photoReader: work.photoReader,
    drawQr: createQrWriter(),
    tickets: desk.tickets,
    handover: config.settings.handover,
    answers: config.answers,
    sandboxed: work.backend.sandbox !== undefined,
  };
}
