import { encodeStart, START_WITHOUT_CODE } from '../../conversation/language/payload.ts';

/** A link that opens the bot's private chat with a code; undefined for a code that is too long for a link. */
export function linkWithCode(username: string, code: string): string | undefined {
  const payload = encodeStart(code);
  return payload === undefined ? undefined : linkOf(username, payload);
}

/** A link that opens the bot's private chat, with its Start button. */
export function linkToChat(username: string): string {
  return linkOf(username, START_WITHOUT_CODE);
}

function linkOf(username: string, payload: string): string {
  return `https://t.me/${username}?start=${payload}`;
}
