/**
 * The code that a deep link's payload stands for: the payload itself or, with a leading `_`, base64url of it (a link
 * takes no other characters). `_` alone is no code: the link only opens the chat. What is no base64url of UTF-8 stays as
 * it is, for the conversation to refuse as a code: whoever scanned it hears that it is wrong.
 */
export function decodeStart(payload: string): string | undefined {
  if (payload === START_WITHOUT_CODE) return undefined;
  if (!/^_[A-Za-z0-9_-]+$/.test(payload)) return payload;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(payload.slice(1), 'base64url'));
  } catch {
    return payload;
  }
}

/** The payload of a link that brings no code. */
export const START_WITHOUT_CODE = '_';
