import { Cluster, type Redis } from 'ioredis';
import type { Log } from '../../observe.ts';
import type { KeyChecks } from '../key-checks.ts';
import { StoreRefused } from '../port.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { confirmed } from './confirmed.ts';
import { checkKeys } from './key-checks.ts';
import { type Keys, keysOf } from './keys.ts';
import { mostOf, valuesOf } from './most.ts';
import type { Layout } from './tags.ts';

/**
 * Where a store says which layout its keys have. Every version looks here, so these names never change. There are two,
 * in slots that no master of a cluster has both of: with one alone, a dead master would keep processes from starting.
 */
export const LAYOUT_KEYS = ['{e8a}layout', '{bn}layout'] as const;
/** What an empty store gets. */
const NEWEST: Layout = 2;
/** Keys of layout 1, which was written before stores said what they have. */
const OF_LAYOUT_1 = { pattern: '{b[0-9]*}*', exactly: /^\{b\d{1,3}\}/ };
const SCANNED_AT_ONCE = 1000;
const GRACE_MS = 100;

/**
 * Another version of the bot, or two of them, wrote this store. Its message is one line for the operator who starts the
 * process.
 */
export class LayoutRefused extends StoreRefused {}

export type LayoutWatch = {
  /**
   * Looks which layout the store has, and whether this process has its keys. Resolves, too, where it cannot be reached;
   * rejects with `StoreRefused`.
   */
  open(): Promise<void>;
  /** Throws `StoreUnavailable` while that is not known or refused, and looks again in the background. */
  keys(): Keys;
  /** Verifies the process's keys once more: the store may have been replaced or emptied. Where they are wrong, `keys` throws. */
  recheck(): Promise<void>;
};

type Nodes = { readonly commands: Redis | Cluster; masters(): readonly Redis[] };

/** Finds the layout of a store's keys; an empty store gets the newest; one that is older than layouts keeps the first. */
export function watchLayout(nodes: Nodes, log: Log, checks: KeyChecks | undefined): LayoutWatch {
  let keys: Keys | undefined;
  let refused: StoreRefused | undefined;
  let finding: Promise<void> | undefined;
  let why = 'redis: not reached yet';

  async function find(): Promise<void> {
    try {
      const layout = layoutOf(await readLayout(nodes));
      if (checks) await checkKeys(nodes.commands, checks);
      keys = keysOf(layout);
    } catch (error) {
      if (error instanceof StoreRefused) refused = error;
      else if (error instanceof StoreUnavailable) why = error.message;
      else throw error;
    } finally {
      finding = undefined;
    }
  }

  return {
    async open() {
      finding ??= find();
      await finding;
      if (refused) throw refused;
    },
    keys() {
      if (refused) throw new StoreUnavailable(refused.message);
      if (keys) return keys;
      finding ??= find().then(
        () => refused && log.error({}, refused.message),
        (err: unknown) => log.error({ err }, 'the layout of the store cannot be read'),
      );
      throw new StoreUnavailable(why);
    },
    async recheck() {
      if (!keys || !checks) return;
      try {
        await checkKeys(nodes.commands, checks);
        refused = undefined;
      } catch (error) {
        if (error instanceof StoreUnavailable) return;
        if (!(error instanceof StoreRefused)) throw error;
        if (!refused) log.error({}, error.message);
        refused = error;
      }
    },
  };
}

function layoutOf(stored: string): Layout {
  if (stored === '1') return 1;
  if (stored === '2') return 2;
  const got = stored.slice(0, 20).replace(/[^\w, ]/g, '?');
  throw new LayoutRefused(
    `REDIS_URL: got a store whose keys have layout ${got} (${LAYOUT_KEYS.join(', ')}), wants 1 or 2: start the version of the bot that wrote it, or name an empty store`,
  );
}

/** What the store says, once it says something. */
async function readLayout(nodes: Nodes): Promise<string> {
  const { commands } = nodes;
  const asked = LAYOUT_KEYS.map((key) => confirmed(commands.get(key)));
  const first = valuesOf(await mostOf(asked, GRACE_MS));
  // Once one node names a layout, the other is not waited for. That one node has none proves nothing.
  const known = first.some((value) => value !== null) ? first : valuesOf(await Promise.allSettled(asked));
  const said = [...new Set(known.filter((value) => value !== null))];
  if (said.length === 0 && known.length < LAYOUT_KEYS.length) {
    throw new StoreUnavailable('redis: its layout cannot be read');
  }
  const layout = said.length > 0 ? said.join(' and ') : await agree(nodes);
  if (known.includes(null) && said.length <= 1) {
    for (const key of LAYOUT_KEYS) await confirmed(commands.set(key, layout, 'NX'));
  }
  return layout;
}

/** Processes that start together agree: the first one's word is what all of them read. */
async function agree(nodes: Nodes): Promise<string> {
  const [key] = LAYOUT_KEYS;
  const wanted = (await holdsLayout1(nodes)) ? 1 : NEWEST;
  await confirmed(nodes.commands.set(key, wanted, 'NX'));
  return (await confirmed(nodes.commands.get(key))) ?? String(wanted);
}

async function holdsLayout1({ commands, masters }: Nodes): Promise<boolean> {
  const nodes = masters();
  const owners = commands instanceof Cluster ? new Set(commands.slots.map(([master]) => master)).size : 1;
  if (nodes.length < owners) throw new StoreUnavailable('redis: not all nodes can be reached');
  for (const node of nodes) {
    let cursor = '0';
    do {
      const { pattern, exactly } = OF_LAYOUT_1;
      const [next, found] = await confirmed(node.scan(cursor, 'MATCH', pattern, 'COUNT', SCANNED_AT_ONCE));
      if (found.some((key) => exactly.test(key))) return true;
      cursor = next;
    } while (cursor !== '0');
  }
  return false;
}
