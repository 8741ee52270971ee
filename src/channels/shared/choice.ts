/** What a button carries: `<choice id>~<view>`; the id alone where its question has no view. */
export function encodeChoice(id: string, view: string | undefined): string {
  return view === undefined ? id : `${id}~${view}`;
}

/**
 * The reverse. Anybody with a modified client can send any data: the conversation refuses an id that
 * no button has.
 */
export function decodeChoice(data: string): { choice: string; view?: string } {
  const at = data.lastIndexOf('~');
  return at < 0 ? { choice: data } : { choice: data.slice(0, at), view: data.slice(at + 1) };
}
