import type { Expecting, Interpretation, Interpreter, Reading, SlotKind, Spoken } from '../commands.ts';
import { LOCALES } from '../message.ts';
import { codeInLink, hasBeginning, isLink, looksLikeIdentity, parseCode, spacedCode } from './code.ts';
import { compose, type Found, FREE, type Heard, SKIPS, simple } from './compose.ts';
import { createGiftNames } from './gift-names.ts';
import { emailMeant, parseEmail, parsePhone } from './identity.ts';
import { createListTalk, createPages } from './lists.ts';
import { createLeaving } from './manner.ts';
import { type Answer, createLikes, type Near, vote } from './nearest.ts';
import { namedPeriod, readPeriod, type SaidPeriod } from './period.ts';
import { createReader, type Reader, type Said, type SpokenFlow } from './reading.ts';
import { fold, mapWords, scriptOf } from './text.ts';
import { ANSWERED, type Words } from './words.ts';

/** What there is to understand beside the words. */
export type Known = {
  readonly words: Words;
  readonly flows: readonly SpokenFlow[];
  /** Slash commands, without the slash, by what they stand for: `start redeem`. */
  readonly commands: ReadonlyMap<string, string>;
  /** The operator's answers. */
  readonly answers: readonly Pick<Answer, 'id' | 'asks'>[];
};

/**
 * Makes the interpreter: the only place that sees a text. In this order: the button that a number picks; what the words and
 * values say by themselves (`reading.ts`); what that means here (`compose.ts`); the values alone; a likely question; the
 * whole as the value that is asked for; the nearest example.
 */
export function createInterpreter({
  words,
  flows,
  commands,
  answers,
}: Known): Interpreter & Pick<Reader, 'hear'> {
  const reader = createReader(words, flows, commands);
  const { asking, codes, times } = reader;
  const isYes = (text: string) => reader.hear(text).yes;
  const likes = createLikes(words, reader.lexicon, asking, answers);
  const lists = createListTalk(words, reader.lexicon);
  const giftNames = createGiftNames(words);
  const giftWords = words.list('gifts');
  const pageIn = createPages(words, times.numbers);
  const wishes = new Set(words.list('wishes'));
  const flowNamed = (name: string | undefined) => flows.find((flow) => flow.name === name);
  const startedBy = (act: string | undefined) =>
    act?.startsWith('start ') ? flowNamed(act.slice('start '.length)) : undefined;
  const giftFlow = flows.find(({ slots }) => slots.includes('gift'));
  const linked = flows.find(({ slots }) => slots.includes('codes'));

  function interpret(text: string, expecting: Expecting, reading: Reading): Interpretation {
    const { at, buttons } = expecting;
    if (/^\s*\d{1,2}\s*$/.test(text) && at !== 'page' && buttons.length > 1) {
      const choice = buttons[Number(text) - 1];
      if (choice) return { commands: [{ do: 'pick', choice }], why: { covered: [] } };
    }
    const heard = hear(text, expecting, reading);
    const { covered } = heard.said;
    const meant = compose(heard) ?? valuesAlone(heard) ?? heard.question()?.commands;
    if (meant) return { commands: meant, why: whyOf(meant, heard) };
    const whole = wholeText(heard);
    const [first] = whole;
    // What is no value of the kind that is asked, but nearly one, is no example of anything.
    const isNearly = first?.do === 'unclear' && first.wrong !== undefined && /[\d@]/.test(text);
    const isOpen =
      (first?.do === 'ask' && first.about === 'unknown') ||
      (first?.do === 'unclear' && !first.script && !isNearly);
    if (!isOpen) return { commands: whole, why: { covered } };
    const near = likes.nearest(heard.text);
    return { commands: likely(vote(near), heard) ?? whole, why: { covered, nearest: near } };
  }

  /** What a text says by itself, with what only this place adds: products, gifts, codes with blanks. */
  function hear(typed: string, expecting: Expecting, reading: Reading): Heard {
    const { settings } = reading;
    const text = withProducts(typed, expecting, reading);
    const said = corrected(withSpaced(text, reader.hear(text), reading), expecting);
    const names = giftNames(text, settings.gifts);
    const gifts = names.named(said.rest);
    const bare = !brings(said);
    const isAboutGifts = () => names.isAbout(said.rest, gifts);
    const isWished =
      said.act === undefined &&
      giftFlow !== undefined &&
      (names.isNothingElse() || (said.wishes && gifts.length > 0 && isAboutGifts()));
    // "Ok, cảm ơn" is a yes, too, where something is asked.
    const isThankful =
      said.act === 'talk thanks' && expecting.at !== 'nothing' && expecting.at !== 'page' && isYes(text);
    const isBeside = said.act !== undefined && BESIDE_VALUES.has(said.act) && !bare;
    const act = isWished ? `start ${giftFlow.name}` : isThankful ? 'yes' : isBeside ? undefined : said.act;
    const heard: Heard = {
      text,
      said: { ...said, act },
      expecting,
      reading,
      flow: flowNamed(expecting.flow),
      linked,
      started: startedBy(act),
      gifts: gifts.map(({ code }) => code),
      bare,
      isWish: said.rest === '' && said.covered.every((phrase) => wishes.has(fold(phrase))),
      isYes: once(() => isYes(text)),
      hasYes: once(() => hasYes(text)),
      asks: () => asking.isQuestion(text),
      isAboutGifts,
      count: names.quantity,
      places: () => lists.places(text),
      page: () => (act?.startsWith('page ') ? PAGES[act] : pageIn(text)),
      list: once(() => listCommand(heard, act)),
      period: () => periodOf(said, reading),
      question: once(() => questionIn(heard, names)),
      values: (of, wanted = act) => valuesOf(heard, of, wanted),
    };
    return heard;
  }

  /** What codes of a product begin with is its name: "bỏ cái tủ lạnh" names the only code at hand that begins with TULANH. */
  function withProducts(text: string, { codes: all }: Expecting, { settings }: Reading): string {
    if (all.length < 2) return text;
    return settings.codePrefixes.reduce((said, prefix) => {
      const [code, ...more] = all.filter((one) => one.toLowerCase().startsWith(prefix.toLowerCase()));
      if (code === undefined || more.length > 0 || said.includes(code)) return said;
      const tokens = said.split(' ');
      for (let from = 0; from < tokens.length; from++)
        for (let to = from + 1; to <= Math.min(tokens.length, from + 3); to++)
          if (fold(tokens.slice(from, to).join('')) === fold(prefix))
            return [...tokens.slice(0, from), code, ...tokens.slice(to)].join(' ');
      return said;
    }, text);
  }

  function withSpaced(text: string, said: Said, { settings }: Reading): Said {
    const code = brings(said) ? undefined : spacedCode(text, settings.codePrefixes);
    return code === undefined ? said : { ...said, codes: [code], names: 'code' };
  }

  /**
   * What the nearest example stands for, where no phrase covers the text: done where nothing is at hand and it is near
   * enough, else offered by a button. Never a yes, a no, an end, a change or an erasure.
   */
  function likely(near: Near | undefined, { bare, asks, expecting }: Heard): readonly Spoken[] | undefined {
    if (!near || near.score < OFFERED || !bare) return undefined;
    const { command: act } = near;
    const flow = startedBy(act);
    const isFree = expecting.at === 'nothing' || expecting.at === 'page';
    if (flow) {
      const start: Spoken = { do: 'start', flow: flow.name };
      return isFree && near.score >= DONE ? [start] : [{ do: 'unclear', maybe: [start] }];
    }
    if (near.score < DONE) return undefined;
    if (expecting.kind === 'email' && expecting.at === 'slot' && SKIPS.includes(act))
      return [{ do: 'none', field: 'email' }];
    if (ANSWERED.test(act)) return act === 'ask unknown' || !asks() ? undefined : simple(act);
    if (act === 'show person') return simple('show offer');
    return /^(?:talk|show (?:help|offer|complaint|privacy))/.test(act) ? simple(act) : undefined;
  }

  /** A usual question. The name of a gift in it asks what that costs ("đổi nồi cơm bao nhiêu điểm"). */
  function questionIn(
    { text, said, gifts, bare, expecting }: Heard,
    { called }: { readonly called: (word: string) => string },
  ): Found | undefined {
    if (!bare || said.act === 'remove') return undefined;
    const isOne = gifts.length === 1;
    const asked = isOne ? giftWords.map((word) => likes.question(`${called(word)}?`)) : [];
    const costs = asked.find((one) => one?.id === PRICE);
    const found = costs ?? likes.question(text);
    // What is asked of our question is no answer elsewhere.
    if (!found || (found.id?.startsWith('consent.') && expecting.at !== 'consent')) return undefined;
    const { id } = found;
    const gift = id === PRICE ? (isOne ? gifts[0] : expecting.gift) : undefined;
    // "Sai chỗ nào?" is asked of whatever was refused last.
    const about = id === undefined ? 'unknown' : id === WRONG && said.names !== 'code' ? 'wrong' : undefined;
    const answer: Spoken = about ? { do: 'ask', about } : { do: 'ask', about: 'answer', id: id ?? '' };
    const command: Spoken = gift === undefined ? answer : { do: 'ask', about: 'gift', gift };
    return { commands: [command], isSure: found.sure, like: found };
  }

  /** Whether the first or the last words are a yes. */
  function hasYes(text: string): boolean {
    const all = text.split(/[\s,.!]+/);
    return [1, 2, 3, 4].some(
      (many) => isYes(all.slice(0, many).join(' ')) || isYes(all.slice(-many).join(' ')),
    );
  }

  /** Values without a command. */
  function valuesAlone(heard: Heard): readonly Spoken[] | undefined {
    const { said, gifts, expecting, reading } = heard;
    const { at, kind } = expecting;
    const { names, mangled } = said;
    const flow = FREE.includes(at) ? undefined : heard.flow;
    const hasIdentity = (said.phone ?? said.email) !== undefined;
    const hasCode = said.codes.length > 0;
    const takes = (slot: SlotKind) => flow?.slots.includes(slot) ?? false;
    if (flow && !takes('codes') && hasCode) {
      const isGift = takes('gift') && (gifts.length > 0 || reading.settings.gifts.length === 0);
      const [code = ''] = said.codes;
      const isSure = hasBeginning(code, reading.settings.codePrefixes);
      if (!isGift && !said.codes.every(looksLikeIdentity) && (kind !== 'gift' || isSure))
        return [{ do: 'add', codes: said.codes }, ...identityOf(said)];
      if (!isGift && !hasIdentity) return undefined;
    }
    // A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none.
    if (flow && (kind === 'phone' || kind === 'email') && hasCode && names !== 'code' && !hasIdentity) {
      const isGiven = takes('gift') ? expecting.gift !== undefined : expecting.codes.length > 0;
      if (isGiven && (!takes('codes') || said.codes.every(looksLikeIdentity))) return undefined;
    }
    if (kind === 'gift' && gifts.length > 0 && heard.asks() && !heard.isAboutGifts()) return undefined;
    if (flow && !takes('codes') && !hasIdentity && !mangled && gifts.length === 0)
      if (!(takes('gift') && hasCode)) return undefined;
    const values = heard.values(flow);
    return values.length === 0 ? undefined : values;
  }

  /** What a text says for a flow; for none, all that can be kept. */
  function valuesOf(heard: Heard, flow: SpokenFlow | undefined, act: string | undefined): readonly Spoken[] {
    const { said, gifts, reading } = heard;
    const { codes: named, noEmail, mangled } = said;
    const slots = flow?.slots ?? ['codes', 'phone', 'email'];
    const values: Spoken[] = [];
    if (slots.includes('codes') && named.length > 0)
      values.push(listCommand(heard, act) ?? { do: 'add', codes: named });
    if (slots.includes('gift')) {
      const [gift, ...others] = gifts;
      const [code] = named;
      if (gift && others.length > 0) values.push({ do: 'among', gifts });
      else if (gift) values.push({ do: 'set', slot: 'gift', value: gift });
      else if (code !== undefined && reading.settings.gifts.length === 0)
        values.push({ do: 'set', slot: 'gift', value: code });
      else if (code !== undefined && act === `start ${flow?.name}`)
        values.push({ do: 'unclear', wrong: { kind: 'gift', reason: 'gift.unknown' } });
      const count = heard.count();
      if (count !== undefined) values.push({ do: 'many', count });
    }
    if (slots.includes('period')) {
      const period = periodOf(said, reading);
      if (said.type) values.push({ do: 'kind', of: said.type });
      if (period) values.push(period);
    }
    values.push(...identityOf(said));
    if (noEmail && slots.includes('email')) values.push({ do: 'none', field: 'email' });
    if (mangled) values.push(mangledAs(mangled));
    return values;
  }

  /** No command and no value: a question, the answer, right or wrong, to ours, or something to be kindly unsure of. */
  function wholeText({ text, said, asks, expecting, reading, flow }: Heard): readonly Spoken[] {
    const { at, kind, isStaff } = expecting;
    const script = scriptOf(text);
    if (script === 'none') return [{ do: 'talk', about: 'remark' }];
    if (script === 'other') return [{ do: 'unclear', script: true }];
    if (asks()) return [{ do: 'ask', about: 'unknown' }];
    const isAsked = (at === 'slot' || at === 'doubt') && kind !== undefined;
    if (said.mangled && !isAsked) return [mangledAs(said.mangled)];
    if (!isAsked) return [{ do: 'unclear' }];
    const isProof = kind === 'phone' && flow?.identity === 'proved';
    // Staff name a customer by either.
    if ((kind === 'gift' || isProof) && isStaff && text.includes('@')) return readAs('email', text, reading);
    if (isProof) {
      if (!isStaff) return [{ do: 'unclear', wrong: { kind, reason: 'phone.shape' } }];
      const phone = parsePhone(text);
      if (!phone.ok && phone.reason === 'phone.shape')
        return [{ do: 'unclear', wrong: { kind, reason: 'identity.shape' } }];
    }
    return readAs(kind, text, reading);
  }

  /** A text as a value of a kind, and nothing else. */
  function readAs(kind: SlotKind, text: string, reading: Reading): readonly Spoken[] {
    const { settings } = reading;
    const wrong = (reason: string): readonly Spoken[] => [{ do: 'unclear', wrong: { kind, reason } }];
    switch (kind) {
      case 'codes': {
        const code = codes.read(text);
        return code.ok ? [{ do: 'add', codes: [code.value] }] : wrong(code.reason);
      }
      case 'phone': {
        const phone = parsePhone(text);
        return phone.ok ? identityOf({ phone: phone.value, phoneAsk: phone.ask }) : wrong(phone.reason);
      }
      case 'email': {
        const email = parseEmail(text);
        if (email.ok) return identityOf({ email: email.value, emailSuggestion: email.suggestion });
        const meant = emailMeant(text);
        return meant === undefined
          ? wrong(email.reason)
          : [{ do: 'set', slot: 'email', doubt: { why: 'typo', meant } }];
      }
      case 'gift': {
        const code = settings.gifts.length > 0 ? undefined : codes.read(text);
        if (code?.ok) return [{ do: 'set', slot: 'gift', value: code.value }];
        return wrong(code?.reason ?? 'gift.unknown');
      }
      case 'period':
        return wrong('period.shape');
      case 'list':
        return wrong('history.type');
    }
  }

  function periodOf({ period, ever }: Said, reading: Reading): Spoken | undefined {
    if (period !== undefined) return periodRead(period, reading);
    return ever ? always(reading) : undefined;
  }

  function periodRead(said: SaidPeriod, { nowMs, settings }: Reading): Spoken {
    const read = readPeriod(said, nowMs, settings.timeZone);
    return read.ok
      ? { do: 'period', period: read.value }
      : { do: 'unclear', wrong: { kind: 'period', reason: read.reason } };
  }

  /** What a text makes of the codes at hand, where it does more than to name others. */
  function listCommand({ text, said, expecting }: Heard, act: string | undefined): Spoken | undefined {
    const { codes, names, phone, email } = said;
    if (expecting.codes.length === 0) return undefined;
    const command = lists.command(withoutIdentity(text, phone ?? email), codes, expecting.codes);
    const isNamed =
      command?.do !== 'replace' || command.old.length > 0 || names === undefined || names === 'code';
    if (command) return isNamed ? command : undefined;
    const isOfCodes = names === undefined || names === 'code';
    const fresh = codes.filter((code) => !expecting.codes.includes(code));
    const isWrong = act === 'change' || act === 'no' || act === 'none';
    if (isWrong && isOfCodes && fresh.length > 0 && fresh.length === codes.length && !lists.adds(text))
      return { do: 'replace', old: [], codes: fresh };
    if (act !== 'remove' || names === 'email' || said.denies) return undefined;
    // In words that no line has: which one is asked, and never taken.
    const isSaid = names === 'code' || codes.some((code) => expecting.codes.includes(code));
    return isSaid && (codes.length === 0 || expecting.codes.length > 1)
      ? { do: 'remove', which: [] }
      : undefined;
  }

  return {
    interpret,
    hear: reader.hear,
    localeOf(text, about) {
      const tag = reader.localeOf(text, about);
      return LOCALES.find((one) => one === tag);
    },
    leaves: createLeaving(words, reader.lexicon),
    slash: (text) => commands.get(/^\s*\/(\w+)/.exec(text)?.[1]?.toLowerCase() ?? ''),
    read(kind, text, reading) {
      if (kind !== 'codes') return readAs(kind, text, reading);
      const { codes: found, fault } = codes.readAll(text);
      return [
        ...(found.length > 0 ? [{ do: 'add', codes: found } as const] : []),
        ...(fault ? [{ do: 'unclear', wrong: { kind, reason: fault } } as const] : []),
      ];
    },
    link(payload) {
      const code = parseCode(payload);
      return code.ok
        ? [{ do: 'add', codes: [code.value] }]
        : [{ do: 'unclear', wrong: { kind: 'codes', reason: code.reason } }];
    },
    scan(text) {
      if (isLink(text)) return [codeInLink(text, reader.inLinks) ?? []].flat();
      const code = codes.read(text);
      return code.ok ? [code.value] : reader.hear(text).codes;
    },
  };
}

/** What covers it; of an answer, the question that it is like. */
function whyOf(commands: readonly Spoken[], { said, question }: Heard): Interpretation['why'] {
  const asked = commands[0]?.do === 'ask' ? question() : undefined;
  return asked?.commands === commands ? { covered: [], nearest: [asked.like] } : { covered: said.covered };
}

/** A function whose result is made once. */
function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Answers that depend on what they are asked of. */
const PRICE = 'gift.price';
const WRONG = 'code.wrong';

/** How near an example must be (0–1) to be offered, and to be done. */
const OFFERED = 0.7;
const DONE = 0.85;

/** Beside a value, these are only how it is said: "giúp mình mã TIVI000000017 với". */
const BESIDE_VALUES: ReadonlySet<string> = new Set(['show help', 'show menu', 'talk bye', 'page same']);

const PAGES: Readonly<Record<string, 'next' | 'previous' | 'same'>> = {
  'page next': 'next',
  'page previous': 'previous',
  'page same': 'same',
};

const PHONE = /(?<![\p{L}\p{N}])\+?\d[\d .()-]{7,30}\d/gu;
/** The text without the phone or the e-mail that was found in it. */
const withoutIdentity = (text: string, found: string | undefined): string =>
  found === undefined ? text : mapWords(text, (word) => (/.@./.test(word) ? '' : word)).replace(PHONE, ' ');

/** Whether a text brings a value along: then it is about that, and no bare yes, no or greeting ("ok TIVI000000017"). */
function brings({ codes, phone, email, mangled }: Said): boolean {
  return codes.length > 0 || (phone ?? email ?? mangled) !== undefined;
}

/** "Không phải 0911111111 mà là 0912345678": beside the phone or the e-mail at hand, the other one is meant. */
function corrected({ second, ...said }: Said, { phone, email }: Expecting): Said {
  const isPhone = second?.phone !== undefined && said.phone === phone;
  const isEmail = second?.email !== undefined && said.email === email;
  return {
    ...said,
    ...(isPhone && { phone: second.phone, phoneAsk: second.phoneAsk }),
    ...(isEmail && { email: second.email, emailSuggestion: second.emailSuggestion }),
  };
}

type Identity = Pick<Said, 'phone' | 'phoneAsk' | 'email' | 'emailSuggestion'>;

function identityOf({ phone, phoneAsk, email, emailSuggestion }: Identity): Spoken[] {
  const typo = emailSuggestion === undefined ? undefined : 'typo';
  return [...setTo('phone', phone, phoneAsk, phone), ...setTo('email', email, typo, emailSuggestion)];
}

function setTo(
  slot: 'phone' | 'email',
  value: string | undefined,
  why: 'mapped' | 'leadingZero' | 'typo' | undefined,
  meant = '',
): Spoken[] {
  return value === undefined ? [] : [{ do: 'set', slot, value, ...(why && { doubt: { why, meant } }) }];
}

function mangledAs(slot: 'code' | 'email'): Spoken {
  return {
    do: 'unclear',
    wrong: { kind: slot === 'code' ? 'codes' : 'email', reason: `${slot}.vietnamese` },
  };
}

function always({ nowMs, settings }: Reading): Spoken {
  return { do: 'period', period: namedPeriod('all', nowMs, settings.timeZone) };
}
