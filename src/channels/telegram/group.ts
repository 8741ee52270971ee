import type { UserFromGetMe } from 'telegraf/types';
import type { Entity, TelegramMessage } from './update.ts';

type Bot = Pick<UserFromGetMe, 'id' | 'username'>;

/** Whether a message in a group is meant for us: a reply to us, a command, or a mention. */
export function isAddressed(message: TelegramMessage, bot: Bot): boolean {
  if (message.reply_to_message?.from?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const entities = message.entities ?? message.caption_entities ?? [];
  return entities.some((entity) =>
    namesUs(entity, text.slice(entity.offset, entity.offset + entity.length), bot),
  );
}

function namesUs({ type, offset, user }: Entity, text: string, bot: Bot): boolean {
  switch (type) {
    case 'bot_command': {
      const [, named] = text.split('@');
      // Until we know our name: Telegram hands a bot the commands with its own name (privacy mode, the default).
      return offset === 0 && (named === undefined || bot.username === '' || isOurs(`@${named}`, bot));
    }
    case 'mention':
      return isOurs(text, bot);
    case 'text_mention':
      return user?.id === bot.id;
    default:
      return false;
  }
}

function isOurs(mention: string, { username }: Bot): boolean {
  return username !== '' && mention.toLowerCase() === `@${username.toLowerCase()}`;
}
