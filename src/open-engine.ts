import type { AppOptions } from './app-options.ts';
import { openBackend } from './backend.ts';
import type { Base } from './base.ts';
import type { ChannelRegistry } from './channels/registry.ts';
import type { Config } from './config.ts';
import type { Settings } from './conversation/context.ts';
import { Gifts } from './counter/gifts.ts';
import { Engine } from './engine/engine.ts';
import { Traces } from './engine/trace.ts';
import { openSeenStore } from './loyalty/canary.ts';
import { createNotices } from './notices.ts';
import { createStepIds, openConversation } from './open-conversation.ts';
import { createPhotoReader } from './photos/reader.ts';
import { openProof } from './proof/open.ts';
import { StaffFiles } from './records/staff-files.ts';
import type { RecordFault } from './records/versioned-records.ts';
import { systemRuntime } from './runtime.ts';

/** Turns at once. A slow AntCRM gets at most half of them. */
const TURNS = 64;
const TURNS_PER_CALL = 2;

/** The conversation, AntCRM, and the engine that runs turns between them. */
export async function openEngine(
  config: Config,
  { around = {}, flows, words: wording, languageTexts, create, ...options }: AppOptions,
  { base, channels }: { readonly base: Base; readonly channels: ChannelRegistry<Config> },
) {
  const { store, encryption, spans, metrics } = base;
  const { observe } = metrics;
  const { conversation, words } = openConversation(config, {
    flows,
    words: wording,
    languageTexts,
    create,
    log: observe.log,
  });
  // The settings have AntCRM's gifts, and AntCRM's calls are traced: no text is explained before both are
  // there.
  const traces = new Traces(channels.traced, (text, before, sender) =>
    conversation.explain(text, before, { settings, nowMs: systemRuntime.nowMs(), sender }),
  );
  const backend = await openBackend(config, {
    observe,
    spans: spans.isTracing ? spans : undefined,
    watchedCalls: traces.calls,
    around: around.antcrm,
    openSeen: (address) =>
      openSeenStore(encryption.name('antcrm', address), {
        store,
        sealer: encryption,
        runtime: systemRuntime,
        onFault: (fault, name) => observe.alarm(fault, { conversation: name }),
      }),
  });
  const { gifts, codePrefixes } = backend;
  const settings: Settings = { ...config.settings, gifts, codePrefixes };
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
  const engineStore = around.store?.(store) ?? store;
  const { counter, staffFiles } = createStaffRecords(engineStore, base);
  const engine = new Engine({
    store: engineStore,
    encryption,
    runtime: systemRuntime,
    observe,
    spans,
    conversation: { ...conversation, settings, serviceUp: backend.isUp },
    perform: backend.perform,
    proveByCode: proof.proveByCode,
    gifts: counter,
    staffFiles,
    photoReader,
    traces,
    platform: channels.platform,
    ids: createStepIds,
    watchdog: options.watchdog,
    limits: { concurrency: Math.max(TURNS, TURNS_PER_CALL * config.antcrm.maxCalls), ...options.limits },
    onNotice: notices.onNotice,
  });
  return { engine, staffFiles, conversation, words, backend, counter, photoReader, notices, proof };
}

/** The records that staff need: redeemed gifts, and the files that staff send. */
function createStaffRecords(store: Base['store'], { encryption, metrics }: Base) {
  const onFault = (fault: RecordFault, name: string) => metrics.observe.alarm(fault, { conversation: name });
  return {
    counter: new Gifts({ store, encryption, runtime: systemRuntime, onFault }),
    staffFiles: new StaffFiles({ store, encryption }),
  };
}
