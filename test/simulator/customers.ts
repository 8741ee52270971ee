import type { Message } from '../../src/conversation/message.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import type { World } from './world.ts';

/** A text that ends each process that decides it, and one that no step can answer. */
export const KILLER = 'giết tiến trình';
export const POISON = 'làm hỏng bước';

const CHATTER = ['cảm ơn', 'hello', 'mã ở đâu?', 'ủa', 'English please', 'đổi quà thế nào?'] as const;
const SILENCE_MS = [60_000, 300_000] as const;
const MAX_MESSAGES = 14;
/** More than an inbox takes. */
const FLOOD = 60;
/** A yes, which some customers write before the question. */
const YESES = ['có', 'đồng ý', 'xác nhận', 'ok'] as const;
const BLIND_MS = [1, 3_000] as const;

type CustomerOptions = {
  readonly phone: string;
  /** Uses two channels at once, and first spends points on both, twice. */
  readonly isTwice: boolean;
  /** A code, which is unused most often. */
  freshCode(): string;
  /** Sends a message, again and again, until the bot has taken it. */
  send(message: Message): void;
};

/** A customer, who reads, thinks, answers, presses buttons and changes their mind. */
export function createCustomer(
  { chance, clock, count, life, occurs }: World,
  { phone, isTwice, freshCode, send }: CustomerOptions,
) {
  /** What they write for each wish. If several texts are sent at once, their order is unknown. */
  const openings: Readonly<Record<string, () => readonly string[]>> = {
    earn: () => [chance.happens(0.5) ? freshCode() : `tích điểm ${freshCode()}`],
    'earn three': () => [freshCode(), freshCode(), freshCode()],
    'earn three at once': () => [`tích điểm ${freshCode()} ${freshCode()} ${freshCode()}`],
    redeem: () => ['đổi quà'],
    points: () => ['xem điểm'],
    history: () => ['lịch sử tích điểm'],
    help: () => ['/help'],
    person: () => ['gặp nhân viên'],
    chatter: () => [chance.happens(0.05) ? chance.pick([KILLER, POISON]) : chance.pick(CHATTER)],
    forget: () => ['/forget'],
    flood: () => Array.from({ length: FLOOD }, () => chance.pick(CHATTER)),
    silence: () => [],
  };
  const wishes = Array.from({ length: chance.between(1, 3 + life.patience) }, () => {
    const wish = Object.keys(openings)[chance.between(0, Object.keys(openings).length - 1)];
    // Few flood.
    return wish === 'flood' && chance.happens(0.8) ? 'chatter' : wish;
  });
  if (isTwice) wishes.unshift('redeem', 'redeem');
  let wish: string | undefined;
  let latest: Reply | undefined;
  let isThinking = false;
  let sentCount = 0;

  const text = (written: string): Message => ({ kind: 'text', text: written });
  const press = (choice: string, { view }: Reply): Message => ({ kind: 'choice', choice, view });

  function say(messages: readonly Message[]): void {
    for (const message of messages) {
      sentCount += 1;
      send(message);
    }
  }

  /** Turns to what is wanted next. */
  function begin(): void {
    wish = wishes.shift();
    if (wish === undefined || sentCount >= MAX_MESSAGES) return;
    if (wish === 'silence') clock.plan(chance.between(...SILENCE_MS) * life.patience, begin);
    else say(openings[wish]?.().map(text) ?? []);
  }

  /** Answers what the bot said last; where nothing is to be answered, turns to what is wanted next. */
  function act(): void {
    isThinking = false;
    if (latest === undefined || sentCount >= MAX_MESSAGES) return;
    const answers = chance.happens(0.03) ? [text('hủy')] : answersTo(latest);
    if (latest.asks === 'confirm' && chance.happens(0.2))
      // It is unknown whether it comes before the next question or after it.
      clock.plan(chance.between(...BLIND_MS), () => {
        count('yeses that wait for no question');
        say([text(chance.pick(YESES))]);
      });
    if (answers.length > 0) say(answers);
    else begin();
  }

  function answersTo(reply: Reply): readonly Message[] {
    const choices = reply.choices?.map(({ id }) => id) ?? [];
    switch (reply.asks) {
      case 'phone': {
        const shares = reply.sharePhone && (wish === 'redeem' || chance.happens(0.3));
        return [shares ? { kind: 'contact', phone, own: true } : text(phone.replace('+84', '0'))];
      }
      case 'email':
        return [press('skip', reply)];
      case 'code': {
        const isCheap = chance.happens(0.5);
        const gift = choices.find((id) => id === (isCheap ? 'gift:DAUMAY01' : 'gift:LOA01'));
        return [gift === undefined ? text(freshCode()) : press(gift, reply)];
      }
      case 'confirm': {
        const confirm = choices.find((id) => id.startsWith('confirm:'));
        if (confirm === undefined) return [];
        if (occurs(0.2, 'typed yeses')) return [text(chance.pick(YESES))];
        const pressed = press(confirm, reply);
        return chance.happens(0.2) ? [pressed, pressed] : [pressed];
      }
      case 'consent':
        if (chance.happens(0.2)) return [];
        if (chance.happens(0.3)) return [text(chance.pick(YESES))];
        return [press(chance.pick(['consent:accept', 'consent:decline']), reply)];
      default:
        // Whoever waits for a person writes on, or has waited long enough.
        if (choices.includes('person:leave') && wish === 'person') {
          const code = text(freshCode());
          return [code, chance.happens(0.5) ? text('còn ai không?') : press('person:leave', reply)];
        }
        return choices.includes('use') ? [press('use', reply)] : [];
    }
  }

  return {
    /** When they write for the first time. */
    arrive: begin,
    hear(reply: Reply): void {
      latest = reply;
      if (isThinking) return;
      isThinking = true;
      clock.plan(chance.between(500, 15_000), act);
    },
  };
}
