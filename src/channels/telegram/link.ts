import { START_WITHOUT_CODE } from '../../conversation/language/payload.ts';

/** A link that opens the bot's private chat, with its Start button. */
export function linkToChat(username: string): string {
  return `https://t.me/${username}?start=${START_WITHOUT_CODE}`;
}
