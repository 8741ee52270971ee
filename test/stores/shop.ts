import { Gifts } from '../../src/counter/gifts.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Delivery, Outgoing } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import type { Exchange, HttpRequest } from '../../src/http/transport.ts';
import { createLoyalty } from '../../src/loyalty/loyalty.ts';
import { createTickets } from '../../src/operators/tickets.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { RecordStore } from '../../src/store/port.ts';
import { createChance, type createClock, createProcessRuntime } from '../simulator/clock.ts';
import { conversation } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { observeInto } from '../support/observe.ts';

/*
 * The bot without HTTP, in virtual time, with a platform and an AntCRM of a few lines. It writes the store
 * that a later version opens (`write.ts`), and opens it (`stores.test.ts`).
 */

/** The keys of a test: nothing else is sealed with them. */
const KEYS = { key: Buffer.alloc(32, 5), hashKey: Buffer.alloc(32, 7) };

const GARNACHO = '84867123456';

/** A record of AntCRM's history. `createdAt`: epoch ms. */
export type Entry = {
  readonly id: string;
  readonly type: 1 | 2;
  readonly status: 0 | 1;
  readonly score: number;
  readonly code: string;
  readonly createdAt: number;
};

const PAGE = 20;

/** AntCRM with one customer. Its `entries` and what it is asked are open. */
export function createAntCrm({ wallMs, wait }: ReturnType<typeof createClock>, entries: Entry[] = []) {
  const posts: string[] = [];
  const contact = {
    customerId: 475,
    phones: [{ value: '0867123456' }],
    emails: [],
    get scoreAvailable() {
      return entries.reduce((sum, { type, score }) => sum + (type === 1 ? score : -score), 2000);
    },
  };
  const answered = (body: unknown): Exchange => ({
    kind: 'answered',
    status: 200,
    headers: { date: new Date(wallMs()).toUTCString() },
    content: Buffer.from(JSON.stringify(body)),
  });

  function historyOf(search: URLSearchParams) {
    const type = search.get('type') === 'point' ? 1 : 2;
    const first = (Number(search.get('page') ?? 1) - 1) * PAGE;
    return entries
      .filter((entry) => entry.type === type)
      .slice(first, first + PAGE)
      .map(({ code, ...entry }) => ({
        ...entry,
        contact,
        ...(type === 1 ? { code, product: { name: 'Tivi' } } : { gift: { code, name: 'Đầu máy' } }),
      }));
  }

  return {
    /** The calls that change points, as `path code`. */
    posts,
    entries,
    /** Whether calls are applied without an answer. */
    isSilent: false,
    async exchange({ method, path, timeoutMs, body = '{}' }: HttpRequest): Promise<Exchange> {
      const { pathname, searchParams } = new URL(path, 'http://antcrm');
      if (method === 'GET')
        return answered(pathname === '/contacts' ? { data: [contact] } : historyOf(searchParams));
      const { code } = JSON.parse(String(body));
      posts.push(`${pathname} ${code}`);
      const type = pathname === '/redeem' ? 2 : 1;
      const score = type === 2 ? 10 : 100;
      entries.push({ id: `r${entries.length}`, type, status: 1, score, code, createdAt: wallMs() });
      if (!this.isSilent) return answered({ success: 1 });
      await wait(timeoutMs);
      return { kind: 'lost', reason: 'TimeoutError' };
    },
  };
}

/** A text for which the step throws, so that its message becomes a dead letter. */
export const POISON = 'làm hỏng bước';

/** One process on a store. `deliver` says how each reply ends; `delivered` has those that were delivered. */
export function createShop(
  clock: ReturnType<typeof createClock>,
  store: RecordStore,
  antcrm: ReturnType<typeof createAntCrm>,
) {
  const runtime = createProcessRuntime(clock, createChance(1), {
    name: `bot at ${clock.atMs}`,
    skewMs: 0,
    isAlive: () => true,
  });
  const encryption = createEncryption(KEYS, runtime);
  const observed: string[] = [];
  const delivered: {
    readonly conversation: string;
    readonly seq: number;
    readonly reply: Outgoing['reply'];
  }[] = [];
  const ends = new Map<string, Delivery>();
  const observe = observeInto(observed);
  const loyalty = createLoyalty({
    runtime,
    observe,
    contacts: 'on',
    timeoutMs: 8000,
    maxCalls: 32,
    gifts: SETTINGS.gifts,
    transport: { exchange: (call) => antcrm.exchange(call) },
    baseUrl: 'http://antcrm',
    apiKey: 'key',
  });
  let ids = 0;
  const idOf = (letter: string) =>
    `${letter}${String(clock.atMs).padStart(6, '0')}${String(++ids).padStart(3, '0')}`;
  const step: EngineOptions['conversation']['step'] = (state, input, context) => {
    if (input.kind === 'message' && input.message.kind === 'text' && input.message.text === POISON)
      throw new Error('the step threw');
    return conversation.step(state, input, context);
  };
  const gifts = new Gifts({
    store,
    encryption,
    runtime,
    onFault: (fault, name) => observe.alarm(fault, { conversation: name }),
  });
  const engine = new Engine({
    gifts,
    store,
    encryption,
    runtime,
    observe,
    perform: loyalty.perform,
    conversation: { ...conversation, settings: { ...SETTINGS, handover: true, counter: true }, step },
    photoReader: { read: async () => ({ kind: 'noCode' }), close: async () => {} },
    platform: () => ({
      async deliver({ conversation: to, reply }, seq) {
        const end = ends.get(to) ?? { kind: 'delivered' };
        if (end.kind === 'delivered') delivered.push({ conversation: to, seq, reply });
        return end;
      },
    }),
    ids: () => ({ operation: idOf('K'), view: idOf('v') }),
  });
  const { readState } = conversation;
  const operators = new Operators({ store, encryption, readState, runtime, onFiled: engine.schedule });
  engine.start();
  function file(to: string, message: EngineMessage) {
    const sender = { channel: 'telegram', proof: 'contact', locale: 'vi', name: 'Garnacho' } as const;
    const id = `update-${++ids}-${clock.atMs}`;
    const incoming = { channel: 'telegram', conversation: to, id, message, sender, address: { chat: to } };
    return engine.accept(incoming, clock.wallMs());
  }
  const repliesTo = (to: string) =>
    delivered.filter((reply) => reply.conversation === to).map(({ reply }) => reply);
  return {
    engine,
    operators,
    gifts,
    tickets: createTickets({ store, operators, runtime }),
    observed,
    delivered,
    ends,
    nameOf: (to: string) => encryption.name('conversation', `telegram\0${to}`),
    keysTo: (to: string) => repliesTo(to).map(({ key }) => key),
    repliesTo,
    file,
    /** A customer writes, and time passes until the bot has answered. */
    async hear(to: string, message: EngineMessage): Promise<void> {
      await file(to, message);
      await clock.runUntil(clock.atMs + 1000);
    },
  };
}
export type EngineMessage = Parameters<Engine['accept']>[0]['message'];

export const text = (written: string): EngineMessage => ({ kind: 'text', text: written });
export const photo = (caption: string): EngineMessage => ({
  kind: 'photo',
  pictures: [{ kind: 'unreadable' }],
  caption,
  media: [{ kind: 'picture', name: 'hong.jpg', bytes: 70_000, at: { file: 'f1' } }],
});
export const contact = (): EngineMessage => ({ kind: 'contact', phone: GARNACHO, own: true });
export const press = ({ choices = [], view }: Outgoing['reply'], id: string): EngineMessage => ({
  kind: 'choice',
  choice: choices.find((choice) => choice.id.startsWith(id))?.id ?? id,
  view,
});
