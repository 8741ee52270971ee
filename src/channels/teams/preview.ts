import { ActivityTypes } from 'botbuilder';
import type { Message, Sender } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { PlatformCall, Preview, Previewed } from '../channel.ts';
import { encodeChoice } from '../input.ts';
import { ConnectorAdapter } from './adapter.ts';
import type { Connector } from './connector.ts';
import { createTeamsOutlet } from './deliver.ts';
import { TEAMS } from './traits.ts';

/** Nobody's. The activity is the card whose button was pressed. */
const PLACE = { service: 'https://connector.invalid/', bot: 'bot', user: 'user' };
const CONVERSATION = 'conversation';
const CARD = 'card';

export function createPreview({ words }: { readonly words: Words }): Preview {
  return { incoming: activityOf, outgoing: (outgoing) => callsOf(outgoing, words) };
}

/** The outlet that customers' replies go through, before a connector that says yes and writes down what it is asked. */
async function callsOf({ pressed, ...outgoing }: Previewed, words: Words): Promise<PlatformCall[]> {
  const calls: PlatformCall[] = [];
  const connector: Pick<Connector, 'call'> = {
    async call(_service, method, path, body) {
      calls.push({ call: `${method} ${path}`, body });
      return { ok: true, body: {} };
    },
  };
  const { deliver } = createTeamsOutlet(new ConnectorAdapter(connector), words);
  // What a used card said comes back with its buttons alone: where none is edited in place, nothing is known of it.
  const press = pressed && outgoing.reply.inPlace && { activity: CARD, ...pressed, said: [], chosen: [] };
  await deliver({
    ...outgoing,
    channel: TEAMS.name,
    conversation: CONVERSATION,
    address: PLACE,
    ...(press && { press }),
  });
  return calls;
}

/** The reverse of `fromMessage` and `fromInstall`, for what a customer can send there. */
function activityOf(message: Message, { name = '', locale }: Sender): ReturnType<Preview['incoming']> {
  const said = (content: object) => ({
    type: ActivityTypes.Message,
    id: '1',
    serviceUrl: PLACE.service,
    ...(locale && { locale }),
    from: { id: PLACE.user, name },
    recipient: { id: PLACE.bot },
    conversation: { id: CONVERSATION, conversationType: 'personal' },
    ...content,
  });
  switch (message.kind) {
    case 'text':
      return said({ text: message.text });
    case 'start':
      return message.payload === undefined
        ? said({ type: ActivityTypes.InstallationUpdate, action: 'add' })
        : undefined;
    case 'choice':
      return said({ replyToId: CARD, value: { choice: encodeChoice(message.choice, message.view) } });
    case 'form': {
      const { kind: _kind, view = '', ...fields } = message;
      return said({ replyToId: CARD, value: { form: view, ...fields } });
    }
    default:
      return undefined;
  }
}
