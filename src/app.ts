import type { AppOptions } from './app-options.ts';
import { openBackend } from './backend.ts';
import { type Base, openBase, openSecrets, stopParts } from './base.ts';
import { ChannelRegistry } from './channels/registry.ts';
import { CHANNELS } from './channels.ts';
import type { Config } from './config.ts';
import type { Settings } from './conversation/context.ts';
import { Gifts } from './counter/gifts.ts';
import { createDesk } from './desk.ts';
import { Engine } from './engine/engine.ts';
import { Files } from './engine/files.ts';
import { Traces } from './engine/trace.ts';
import { createNotices } from './notices.ts';
import { createStepIds, openConversation } from './open-conversation.ts';
import { createQrWriter } from './photos/qr.ts';
import { createPhotoReader } from './photos/reader.ts';
import { openProof } from './proof/open.ts';
import { mountRoutes } from './routes.ts';
import { systemRuntime } from './runtime.ts';

export type { AppOptions, Around } from './app-options.ts';

/** Turns at once. A slow AntCRM gets at most half of them. */
const TURNS = 64;
const TURNS_PER_CALL = 2;

/** Wires the parts. The only file that knows all of them. */
export async function createApp(config: Config, options: AppOptions = {}) {
  const base = await openBase(config, options);
  const { http, metrics, encryption, store, feed } = base;
  const { observe } = metrics;
  const channels = new ChannelRegistry([...CHANNELS, ...(options.channels ?? [])]);
  const work = await openEngine(config, options, { base, channels });
  const { engine, conversation, words, backend, counter, photoReader, notices, proof } = work;
  const desk = { config, channels, engine, conversation, files: work.files };
  const { operators, overload, tickets } = createDesk(base, desk);
  const parts = {
    accept: overload.around(engine.accept),
    words,
    commands: conversation.commands,
    observe,
    createLimit: http.createLimit,
    guard: http.guard,
    encryption,
    feed,
    createSecrets: openSecrets(base),
    photoReader,
    drawQr: createQrWriter(),
    tickets,
    handover: config.settings.handover,
    answers: config.answers,
    sandboxed: backend.sandbox !== undefined,
  };
  await channels.open(config, parts, options.around?.channel);
  channels.mount(http);
  const { gifts } = backend;
  const shown = { gifts, codes: proof.shown, counter, photoReader, tickets, encryption };
  mountRoutes({ config, http, channels, words, metrics, store, operators, backend, overload, ...shown });
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
      stopParts(base, { engine, channels, others: [overload, backend, photoReader, notices, proof] }),
  };
}

/** The conversation, AntCRM, and the engine that runs turns between them. */
async function openEngine(
  config: Config,
  { around = {}, flows, words: wording, languageTexts, create, ...options }: AppOptions,
  { base, channels }: { readonly base: Base; readonly channels: ChannelRegistry<Config> },
) {
  const { store, encryption, spans, metrics } = base;
  const { observe } = metrics;
  const talk = { flows, words: wording, languageTexts, create, log: observe.log };
  const { conversation, words } = openConversation(config, talk);
  const traces = new Traces(channels.traced, (text, before, sender) =>
    conversation.explain(text, before, { settings, nowMs: Date.now(), sender }),
  );
  const backend = await openBackend(config, {
    observe,
    spans: spans.isTracing ? spans : undefined,
    watchedCalls: traces.calls,
    around: around.antcrm,
  });
  const { gifts, codePrefixes } = backend;
  const settings: Settings = { ...config.settings, gifts, codePrefixes };
  const { step, readState, newState } = conversation;
  const proof = openProof(config.proofGateway, {
    store,
    encryption,
    words,
    observe,
    runtime: systemRuntime,
    sandbox: backend.sandbox,
  });
  const photoReader = createPhotoReader(options.photos);
  const notices = createNotices(observe, config.handoverWebhook);
  const parts = { store: around.store?.(store) ?? store, encryption, runtime: systemRuntime };
  const counter = new Gifts({
    ...parts,
    onFault: (fault, name) => observe.alarm(fault, { conversation: name }),
  });
  const files = new Files(parts);
  const engine = new Engine({
    ...parts,
    observe,
    spans,
    conversation: { step, readState, newState, settings, serviceUp: backend.isUp },
    perform: backend.perform,
    proof: proof.perform,
    gifts: counter,
    files,
    photoReader,
    traces,
    platform: channels.platform,
    ids: createStepIds,
    watchdog: options.watchdog,
    limits: { concurrency: Math.max(TURNS, TURNS_PER_CALL * config.antcrm.maxCalls), ...options.limits },
    onNotice: notices.onNotice,
  });
  return { engine, files, conversation, words, backend, counter, photoReader, notices, proof };
}
