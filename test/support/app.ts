import { type AppOptions, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { type ConversationOptions, createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { LANGUAGE_TEXTS, WORDING } from '../../src/i18n.ts';
import { conversation } from './conversation.ts';
import { scanLater } from './logs.ts';
import { PATIENT } from './photos.ts';
import { AT_ANY_PACE } from './processes.ts';

export type Running = Awaited<ReturnType<typeof startBot>>;

/**
 * The whole bot in this process, on a port of its own, over the memory store and the sandbox unless told
 * otherwise.
 */
export async function startBot(env: Readonly<Record<string, string>> = {}, options: AppOptions = {}) {
  const lines: string[] = [];
  scanLater(lines, env);
  const read = readConfig({ LOG_LEVEL: 'trace', PORT: '0', ...AT_ANY_PACE, ...env });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const app = await createApp(read.config, {
    log: { write: (line) => lines.push(line) },
    photos: PATIENT,
    create: shareConversation,
    ...options,
  });
  const at = await app.listen();
  await app.start();
  return {
    url: numeric(at.url),
    /** Where staff and operators are; the same without `ADMIN_PORT`. */
    adminUrl: numeric(at.adminUrl),
    config: read.config,
    /** Ends every connection, event streams too. */
    cut() {
      for (const { server } of [app.server, app.admin]) server.closeAllConnections();
    },
    stop: () => app.stop(),
  };
}

const keyOf = ({ wording, languageTexts, answers = [] }: ConversationOptions): string =>
  JSON.stringify([wording, languageTexts, answers]);
const own = { flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS };
const conversations = new Map([[keyOf(own), conversation]]);

function shareConversation(options: ConversationOptions) {
  if (options.flows !== flows) return createConversation(options);
  const shared = conversations.get(keyOf(options)) ?? createConversation(options);
  conversations.set(keyOf(options), shared);
  return shared;
}

/** What `localhost` is: a client that asks for the other address first would take longer. */
const numeric = (url: string): string => url.replace('localhost', '127.0.0.1');
