import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Message } from '../../src/conversation/message.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { realWorld } from '../../src/engine/world.ts';
import { newIds } from '../../src/ids.ts';
import type { Log } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createSpans, openTraces, type Spans } from '../../src/observability/tracing.ts';
import { spannedPerform, spannedStep } from '../../src/spanned.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import * as conversation from '../support/conversation.ts';
import { NO_READER } from '../support/photos.ts';
import { createLoad, type Load } from './load.ts';
import { medianOf } from './measure.ts';
import type { Options } from './options.ts';

/*
 * What spans cost a turn: of the processor, which other work on the machine does not change much, in one process, by
 * turns. Nothing but the engine's turn is measured, no HTTP and no Redis: a whole bot takes four times as much for a
 * turn (`CPU ms/turn` of `npm run bench`).
 */

export const TRACES_HEADS = ['traces', 'CPU µs/turn', 'more µs', 'half of the rounds between'];

/** Turns of one measurement: a processor's time is counted in steps of up to 10 ms, which should be few percent of it. */
const TURNS = 1000;
const IN_FLIGHT = 8;
/** Of each of the repeats that are asked for. */
const ROUNDS = 20;

/** As if there were none. */
const NO_SPANS: Spans = {
  isTracing: false,
  around: (_name, _about, work) => work(),
  during: (_name, work) => work(),
  since() {},
  note() {},
  apart: (_about, work) => work(),
  traceparent: () => undefined,
  fields: () => ({}),
};

type Subject = {
  readonly name: string;
  readonly load: Load;
  readonly perTurn: number[];
  stop(): Promise<void>;
};

/** Each round measures every subject once; how much more one takes is compared within the round. */
export async function compareTraces({ warmUp, repeats }: Options): Promise<string[][]> {
  const collector = await startCollector();
  const telemetry = await openTraces(collector.url);
  const subjects = [
    createSubject('no such code', NO_SPANS),
    createSubject('the same again', NO_SPANS),
    createSubject('off', createSpans()),
    createSubject('sent to a collector', createSpans(telemetry)),
  ];
  for (const { load } of subjects) await load.run({ inFlight: IN_FLIGHT, turns: warmUp, seconds: 60 });
  for (let round = 0; round < ROUNDS * repeats; round++) {
    // Whoever comes first has an advantage, or the contrary.
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    for (const { load, perTurn } of order) perTurn.push(await cpuPerTurn(load));
  }
  for (const { stop } of subjects) await stop();
  await telemetry.close();
  collector.close();
  const [without] = subjects;
  return subjects.map(({ name, perTurn }) => [
    name,
    medianOf(perTurn).toFixed(1),
    ...differences(perTurn, without?.perTurn ?? []),
  ]);
}

/** Processor time of one turn, µs; not of the threads that compile and collect garbage beside it: these come in gusts. */
async function cpuPerTurn(load: Load): Promise<number> {
  const before = process.threadCpuUsage();
  await load.run({ inFlight: IN_FLIGHT, turns: TURNS, seconds: 60 });
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / TURNS;
}

/** How much more each round took than the same round without, µs: the median, and between what half of them lie. */
function differences(perTurn: readonly number[], without: readonly number[]): string[] {
  const more = perTurn.map((us, round) => us - (without[round] ?? Number.NaN)).sort((a, b) => a - b);
  const at = (share: number): string => (more[Math.floor(more.length * share)] ?? Number.NaN).toFixed(1);
  return [medianOf(more).toFixed(1), `${at(0.25)} … ${at(0.75)}`];
}

/** The turns of a bot, with the embedded store, whose replies are delivered at once. */
function createSubject(name: string, spans: Spans): Subject {
  const { step, readState, newState } = conversation;
  const answered = new Map<number, () => void>();
  const store = createMemoryStore({ clock: realWorld });
  const engine = createEngine({
    store,
    encryption: createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) }),
    conversation: { step: spannedStep(step, spans), readState, newState, settings: SETTINGS },
    perform: spannedPerform(async () => {
      throw new Error('the dialogue asks nothing of AntCRM');
    }, spans),
    photoReader: NO_READER,
    outlet: () => ({
      async deliver({ conversation }) {
        answered.get(Number(conversation))?.();
        return { kind: 'delivered' };
      },
    }),
    ids: newIds,
    observe: createMetrics({ log: NO_LOG }).observe,
    spans,
  });
  engine.start();
  let lastId = 0;

  async function ask(chat: number, text: string): Promise<{ acceptMs: number; turnMs: number }> {
    const done = new Promise<void>((resolve) => answered.set(chat, resolve));
    const message: Message = { kind: 'text', text };
    lastId += 1;
    const webhook = () =>
      engine.accept({
        channel: 'bench',
        conversation: String(chat),
        id: String(lastId),
        message,
        sender: { channel: 'bench', proof: 'contact', locale: 'vi', name: 'Garnacho' },
        address: { chat },
      });
    await spans.around('webhook', { channel: 'bench' }, webhook, null);
    await done;
    return { acceptMs: 0, turnMs: 0 };
  }

  return {
    name,
    load: createLoad({ ask, async close() {} }),
    perTurn: [],
    async stop() {
      await engine.stop();
      await store.close();
    },
  };
}

const SETTINGS = {
  defaultLocale: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  gifts: [],
  codePrefixes: [],
  identityProof: 'required',
  operationChecksMs: [5000, 20_000],
} as const;

const NO_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Takes whatever it is sent. */
async function startCollector(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close().closeAllConnections() };
}
