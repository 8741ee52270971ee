import type { Chat } from './chat.ts';

/** Garnacho's own, as Telegram shares it and as AntCRM keeps it. */
export const OWN_PHONE = '84867123456';
export const PHONE = '0867123456';

/** Answers the question for a proof by sharing the own contact. */
async function proves(chat: Chat): Promise<void> {
  await chat.hears('identity.proofNeeded');
  await chat.shares(OWN_PHONE);
}

/** Up to the summary of a redemption: what comes next is a press on its confirm button. */
export async function choosesGift(chat: Chat): Promise<void> {
  await chat.writes('/redeem DAUMAY01');
  await proves(chat);
  await chat.hears('redeem.summary');
}

/** Up to the summary of an accumulation, with one message. */
export async function entersCode(chat: Chat, code: string): Promise<void> {
  await chat.writes(accumulation(code));
  await chat.hears('accumulate.summary');
}

/** Everything that an accumulation needs, in one message that is of no language. */
export const accumulation = (code: string, phone = '0912345678', email = 'minh@example.vn'): string =>
  `/accumulate ${code} ${phone} ${email}`;
