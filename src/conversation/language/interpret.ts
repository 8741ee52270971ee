import type {
  Expecting,
  Fault,
  Interpretation,
  Interpreter,
  Reading,
  SlotKind,
  Spoken,
} from '../commands.ts';
import { codeInLink, hasBeginning, isLink, looksLikeIdentity, parseCode, spacedCode } from './code.ts';
import { emailMeant, parseEmail } from './email.ts';
import { createGiftNames } from './gift-names.ts';
import { createListTalk } from './lists.ts';
import { localeNamed } from './manner.ts';
import { createNearest, type Near, vote } from './nearest.ts';
import { createPages } from './pages.ts';
import { namedPeriod, readPeriod } from './period.ts';
import type { Pieces } from './period-words.ts';
import { parsePhone } from './phone.ts';
import { type Answer, type Asked, createQuestions } from './questions.ts';
import { ANSWERED, createReader, type FlowFacts, type Said } from './reading.ts';
import { fold, scriptOf } from './text.ts';
import type { Words } from './words.ts';

/** What reading texts needs to know of a flow. */
export type Flow = FlowFacts & {
  readonly identity: 'typed' | 'proved';
  readonly slots: readonly SlotKind[];
};

/** What there is to understand beside the words. */
export type Known = {
  readonly words: Words;
  readonly flows: readonly Flow[];
  /** Slash commands, without the slash, by what they stand for: `start redeem`. */
  readonly commands: ReadonlyMap<string, string>;
  /** The operator's answers. */
  readonly answers: readonly Pick<Answer, 'id' | 'asks'>[];
};

/** What a text says by itself, whatever question it answers. */
type Hearing = { hear(text: string): Said };

type Gift = Reading['settings']['gifts'][number];

/** A text, what it says by itself, and where. */
type Heard = {
  readonly text: string;
  readonly said: Said;
  /** The gifts that it names. */
  readonly gifts: readonly Gift[];
  readonly expecting: Expecting;
  readonly reading: Reading;
  /** The flow at hand. */
  readonly flow: Flow | undefined;
};

/**
 * Makes the interpreter: the only place that sees a text. In this order: a slash command; the button that a number picks;
 * what the words and values say by themselves (`reading.ts`); a usual question, where that is sure; what it means at the
 * question that is live; what it wants anywhere; its values; a likely question; the whole as the value that is asked for.
 */
export function createInterpreter({ words, flows, commands, answers }: Known): Interpreter & Hearing {
  const reader = createReader(words, flows, commands);
  const { asking, codes, times, isYes } = reader;
  const questionOf = createQuestions(words, reader.lexicon, asking, answers);
  const lists = createListTalk(words, reader.lexicon);
  const giftNames = createGiftNames(words);
  const pageIn = createPages(words, times.numbers);
  const nearest = createNearest(words, reader.lexicon);
  const wishes = new Set(words.list('wishes'));
  const flowNamed = (name: string | undefined) => flows.find((flow) => flow.name === name);
  const startedBy = (act: string | undefined) =>
    act?.startsWith('start ') ? flowNamed(act.slice('start '.length)) : undefined;
  const giftFlow = flows.find(({ slots }) => slots.includes('gift'));
  const codeFlow = flows.find(({ slots }) => slots.includes('codes'));

  function interpret(text: string, expecting: Expecting, reading: Reading): Interpretation {
    const { at, buttons } = expecting;
    if (/^\s*\d{1,2}\s*$/.test(text) && at !== 'page' && buttons.length > 1) {
      const choice = buttons[Number(text) - 1];
      if (choice) return { commands: [{ do: 'pick', choice }], why: { covered: [] } };
    }
    const { settings } = reading;
    const typed = withProducts(text, expecting, reading);
    const read = withSpaced(typed, reader.read(typed), reading);
    const gifts = giftNames.named(text, read.rest, settings.gifts);
    const isWished =
      read.act === undefined &&
      giftFlow !== undefined &&
      (giftNames.isNothingElse(text, settings.gifts) ||
        (read.wishes && gifts.length > 0 && giftNames.isAbout(read.rest, gifts)));
    const said = isWished ? { ...read, act: `start ${giftFlow.name}` } : read;
    return understand({ text: typed, said, gifts, expecting, reading, flow: flowNamed(expecting.flow) });
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

  function understand(heard: Heard): Interpretation {
    const { said, expecting } = heard;
    const { act, reference, covered } = said;
    const because = (commands: readonly Spoken[]): Interpretation => ({ commands, why: { covered } });
    const isKnown = reference !== undefined && expecting.references.includes(reference);
    if (isKnown || (act === 'status' && reference !== undefined))
      return because([{ do: 'status', reference }]);
    const found = brings(said) || act === 'remove' ? undefined : questionIn(heard);
    const asked: Interpretation | undefined = found && {
      commands: [answerTo(found, heard)],
      why: {
        covered: [],
        nearest: [{ example: found.example, command: `ask ${found.id ?? 'unknown'}`, score: found.score }],
      },
    };
    if (asked && found?.sure && !said.noEmail) return asked;
    const meant = atQuestion(heard) ?? anywhere(heard) ?? valuesAlone(heard);
    if (meant) return because(meant);
    if (asked) return asked;
    const whole = wholeText(heard);
    const [first] = whole;
    const isOpen =
      isUnknown(first) || (first?.do === 'unclear' && !first.script && !isNearly(first.wrong, heard.text));
    if (!isOpen) return because(whole);
    const near = nearest(heard.text);
    const why = { covered, nearest: near.map(({ act: command, ...one }) => ({ ...one, command })) };
    return { commands: likely(vote(near), heard) ?? whole, why };
  }

  /**
   * What the nearest example stands for, where no phrase covers the text: done where nothing is at hand and it is near
   * enough, else offered by a button. Never a yes, a no, an end, a change or an erasure.
   */
  function likely(near: Near | undefined, { text, said, expecting }: Heard): readonly Spoken[] | undefined {
    if (!near || near.score < OFFERED || brings(said)) return undefined;
    const { act } = near;
    const flow = startedBy(act);
    const isFree = FREE.has(expecting.at) && expecting.at !== 'consent';
    if (flow) {
      const start: Spoken = { do: 'start', flow: flow.name };
      return isFree && near.score >= DONE ? [start] : [{ do: 'unclear', maybe: [start] }];
    }
    if (near.score < DONE) return undefined;
    if (expecting.kind === 'email' && expecting.at === 'slot' && SKIPS.has(act))
      return [{ do: 'none', field: 'email' }];
    if (ANSWERED.test(act))
      return act === 'ask unknown' || !asking.isQuestion(text)
        ? undefined
        : [{ do: 'ask', about: 'answer', id: act.slice('ask '.length) }];
    return /^(?:talk|show (?:help|person|complaint|privacy))/.test(act) && SIMPLE[act]
      ? [SIMPLE[act].command]
      : undefined;
  }

  /** A usual question. The name of a gift in it asks what that costs ("đổi nồi cơm bao nhiêu điểm"). */
  function questionIn({ text, gifts, expecting, reading }: Heard): Asked | undefined {
    const isOne = gifts.length === 1;
    const costs = isOne ? questionOf(`${giftNames.without(text, reading.settings.gifts)}?`) : undefined;
    const found = costs?.id === PRICE ? costs : questionOf(text);
    // What is asked of our question is no answer elsewhere.
    return found?.id?.startsWith('consent.') && expecting.at !== 'consent' ? undefined : found;
  }

  function answerTo({ id }: Asked, { said, gifts, expecting }: Heard): Spoken {
    if (id === undefined) return { do: 'ask', about: 'unknown' };
    const gift = id === PRICE ? (gifts.length === 1 ? gifts[0]?.code : expecting.gift) : undefined;
    if (gift !== undefined) return { do: 'ask', about: 'gift', gift };
    // "Sai chỗ nào?" is asked of whatever was refused last.
    return id === WRONG && said.names !== 'code'
      ? { do: 'ask', about: 'wrong' }
      : { do: 'ask', about: 'answer', id };
  }

  /** What means something only because of the question that is live. */
  function atQuestion(heard: Heard): readonly Spoken[] | undefined {
    const { text, said, expecting } = heard;
    const { at } = expecting;
    const yes = isYes(text);
    // "Ok, cảm ơn" is a yes, too, where something is asked.
    const isThankful = at !== 'nothing' && at !== 'page' && said.act === 'talk thanks' && yes;
    const act = isThankful ? 'yes' : said.act;
    const isBare = !brings(said);
    switch (at) {
      case 'consent':
        if (!isBare) return undefined;
        if (act === 'yes') return [yes ? { do: 'yes' } : { do: 'unclear', maybe: [{ do: 'yes' }] }];
        return NO.has(act) ? [{ do: 'no' }] : undefined;
      case 'nothing':
        if (!isBare) return undefined;
        if (act === 'yes') return [{ do: 'yes' }];
        return act === 'page same' ? [{ do: 'page', to: 'same' }] : undefined;
      case 'page': {
        if (!isBare) return undefined;
        if (act === 'yes') return [{ do: 'yes' }];
        const to = act?.startsWith('page ') ? PAGES[act] : pageIn(text);
        return to === undefined ? otherPage(heard) : [{ do: 'page', to }];
      }
      case 'slot':
      case 'doubt':
        return atSlot(heard, act, yes);
      case 'summary':
        return atSummary(heard, act, yes);
    }
  }

  function atSlot(heard: Heard, act: string | undefined, yes: boolean): readonly Spoken[] | undefined {
    const { said, expecting } = heard;
    const { at, kind } = expecting;
    const isBare = !brings(said);
    const skips = isBare && !said.noEmail && !said.fault && SKIPS.has(act);
    if (kind === 'email' && skips && !(at === 'doubt' && act === 'no'))
      return [{ do: 'none', field: 'email' }];
    if (at === 'doubt' && isBare) {
      const isSure = yes || (!said.fault && !asking.isQuestion(heard.text));
      if ((act === 'yes' && isSure) || (act === 'no' && said.agrees)) return [{ do: 'use' }];
      if (act === 'no') return [{ do: 'no' }];
      if (act === 'keep') return [{ do: 'keep' }];
      if (act === 'other' || act === 'change') return [{ do: 'other' }];
    }
    // "Ok, 0912345678" takes the code that is offered, and the phone as well.
    if (at === 'doubt' && act === 'yes' && !isBare && !isOwn(said, kind))
      return [{ do: 'use' }, ...valuesOf({ ...heard, said: { ...said, act: undefined } }, heard.flow)];
    const inFlow = ofFlow(heard);
    if (inFlow || at === 'doubt') return inFlow;
    // "0912345678 mà điểm của tui có mấy rồi": the value is kept, and nothing is dropped for the question.
    const other = startedBy(act);
    if (other && other !== heard.flow && isOwn(said, kind) && asking.isQuestion(heard.text))
      return [...valuesOf(heard, heard.flow), { do: 'start', flow: other.name, asked: true }];
    if (act === 'no' && said.fault && isBare)
      return expecting.editing && said.names !== undefined
        ? [{ do: 'change', field: said.names }]
        : [{ do: 'no', wrong: true }];
    if (yes && isBare) return [{ do: 'yes' }];
    if (!skips) return undefined;
    return [act === 'cancel mild' ? { do: 'cancel', mild: true } : { do: 'no' }];
  }

  function atSummary(heard: Heard, act: string | undefined, yes: boolean): readonly Spoken[] | undefined {
    const { text, said, gifts, flow } = heard;
    const { names, noEmail } = said;
    const isBare = !brings(said);
    const onlyNearly: readonly Spoken[] = [{ do: 'unclear', maybe: [{ do: 'yes' }] }];
    switch (act) {
      case 'change': {
        const inFlow = ofFlow(heard);
        if (inFlow) return inFlow;
        const values = valuesOf(heard, flow);
        return values.length > 0 ? values : [{ do: 'change', ...(names && { field: names }) }];
      }
      case 'no':
      case 'none':
        if (!isBare || noEmail) return ofFlow(heard);
        return names === undefined ? [{ do: 'no' }] : [{ do: 'change', field: names }];
      case 'yes':
        if (!isBare || noEmail || names) return ofFlow(heard);
        return yes ? [{ do: 'yes' }] : onlyNearly;
      case 'page same':
        return isBare ? [{ do: 'page', to: 'same' }] : ofFlow(heard);
      case 'cancel mild':
        return yes ? onlyNearly : ofFlow(heard);
      default: {
        // "Ok đổi đi": a yes with the flow's own verb.
        const isOwnVerb = flow !== undefined && act === `start ${flow.name}` && isBare && gifts.length === 0;
        const isVerb = said.covered.every((phrase) => wishes.has(fold(phrase))) && said.rest === '';
        return isOwnVerb && (isVerb || hasYes(text)) ? onlyNearly : ofFlow(heard);
      }
    }
  }

  /** Whether the first or the last words are a yes. */
  function hasYes(text: string): boolean {
    const all = text.split(/[\s,.!]+/);
    return all.some((_, at) => isYes(all.slice(0, at).join(' ')) || isYes(all.slice(-at).join(' ')));
  }

  /** What a text means only while this flow waits for an answer. */
  function ofFlow(heard: Heard): readonly Spoken[] | undefined {
    const { text, said, gifts, expecting, reading, flow } = heard;
    const { act, names } = said;
    const { at, kind } = expecting;
    if (flow?.slots.includes('codes')) {
      if (act === 'remove' && names === 'email') return [{ do: 'none', field: 'email' }];
      const other = startedBy(act);
      const isOthers = other !== undefined && other !== flow;
      const isOfList = !isOthers || said.codes.some((one) => expecting.codes.includes(one));
      const list = isOfList ? listCommand(heard) : undefined;
      if (list) return [list, ...identityOf(said)];
      const isChange = act === 'change' && names === 'code' && !brings(said) && expecting.codes.length > 0;
      return isChange ? [{ do: 'change', field: 'code' }] : undefined;
    }
    if (flow?.slots.includes('gift')) {
      if (at === 'summary' && act !== `start ${flow.name}`) {
        const count = giftNames.quantity(text, reading.settings.gifts);
        return count === undefined || (count > 1 && act === 'cancel') ? undefined : [{ do: 'many', count }];
      }
      if (at === 'summary' || kind === 'phone') return otherGift(heard);
      if (kind !== 'gift') return undefined;
      if (!brings(said) && SKIPS.has(act) && !said.fault) return [{ do: 'none' }];
      const [place, ...more] = lists.places(text);
      if (gifts.length === 0 && place !== undefined && more.length === 0 && !brings(said)) {
        const choice = giftButton(place, expecting);
        if (choice) return [{ do: 'pick', choice }];
      }
      // "Loa này hãng gì vậy?" picks nothing.
      const isOfIt = asking.isQuestion(text) && !giftNames.isAbout(said.rest, gifts);
      return gifts.length > 0 && !isOfIt ? valuesOf(heard, flow) : undefined;
    }
    if (flow?.slots.includes('period') && at === 'slot') {
      const period = periodOf(said, reading);
      const type = typeOf(said);
      const isAlone = said.period !== undefined && (act ?? said.phone ?? said.email) === undefined;
      if (kind === 'phone' && period?.do !== 'unclear' && !isAlone) return undefined;
      if ((kind === 'period' && !period) || (!period && !type)) return undefined;
      return [type ?? [], period ?? [], identityOf(said)].flat();
    }
    return undefined;
  }

  /** The button of a gift by its place, from 1; -1 is the last. */
  function giftButton(place: number, { buttons }: Expecting): string | undefined {
    const all = buttons.filter((id) => id?.startsWith('gift:'));
    return (place === 0 ? undefined : all.at(place > 0 ? place - 1 : place)) ?? undefined;
  }

  /** Another gift than the one at hand, or another number of it. */
  function otherGift(heard: Heard): readonly Spoken[] | undefined {
    const { text, said, gifts, expecting, reading, flow } = heard;
    const isWish = flow !== undefined && said.act === `start ${flow.name}`;
    if (said.act !== undefined && !isWish) return undefined;
    const [gift, ...others] = gifts;
    if (gift && others.length === 0 && gift.code === expecting.gift) {
      const count = giftNames.quantity(text, reading.settings.gifts);
      return count === undefined ? undefined : [{ do: 'many', count }];
    }
    if (gift) return valuesOf(heard, flow);
    const isOther = isWish && said.codes.length === 0 && (said.phone ?? said.email) === undefined;
    return isOther ? [{ do: 'start', flow: flow.name }] : undefined;
  }

  /** What else is said at a page: a period, the other list, or both. */
  function otherPage({ said, expecting, reading }: Heard): readonly Spoken[] | undefined {
    const isOther = said.act !== undefined && (said.act !== `start ${expecting.flow}` || expecting.isStaff);
    if (isOther && !said.gifts) return undefined;
    const type: Spoken | undefined = said.gifts ? { do: 'kind', of: 'gift' } : typeOf(said);
    const period = periodOf(said, reading) ?? (said.ever ? always(reading) : undefined);
    if (type?.do === 'kind' && type.of === 'both') return undefined;
    return type || period ? [type ?? [], period ?? []].flat() : undefined;
  }

  /** What a text wants, whatever is being asked. */
  function anywhere(heard: Heard): readonly Spoken[] | undefined {
    const { text, said, expecting, reading } = heard;
    const { act } = said;
    const isBare = !brings(said);
    if (BESIDE_VALUES.has(act) && !isBare) return undefined;
    const flow = startedBy(act);
    // What phrases do not cover drops nothing that is at hand: it is offered.
    const hasAtHand = expecting.codes.length > 0 || expecting.gift !== undefined;
    const isOffered = isBare && said.rest !== '' && hasAtHand && !FREE.has(expecting.at);
    if (isOffered && act === 'cancel') return [{ do: 'unclear', maybe: [{ do: 'cancel' }] }];
    if (flow) {
      const isAsked = isBare && asking.isQuestion(text);
      if (isOffered && flow !== heard.flow && !isAsked)
        return [{ do: 'unclear', maybe: [{ do: 'start', flow: flow.name }] }];
      return [{ do: 'start', flow: flow.name, ...(isAsked && { asked: true }) }, ...valuesOf(heard, flow)];
    }
    const simple = act === undefined ? undefined : SIMPLE[act];
    // What was asked for is kept while a person answers.
    const values = act === 'show person' && heard.flow ? valuesOf(heard, heard.flow) : [];
    if (simple && (isBare || !simple.bare)) return [...values, simple.command];
    if (act !== undefined && ANSWERED.test(act) && isBare)
      return [{ do: 'ask', about: 'answer', id: act.slice('ask '.length) }];
    const locale = act?.startsWith('speak ') ? localeNamed(act.slice('speak '.length)) : undefined;
    if (locale) return [{ do: 'speak', locale }];
    const isFree = expecting.at === 'nothing' || expecting.at === 'page';
    switch (act) {
      case 'remove':
        if (!FREE.has(expecting.at)) return undefined;
        return said.codes.length > 0
          ? [{ do: 'remove', which: said.codes.map((code) => ({ code })) }]
          : [{ do: 'cancel' }];
      case 'show welcome': {
        const [code] = said.codes;
        return code === undefined || !codeFlow
          ? [{ do: 'show', what: 'welcome' }]
          : [{ do: 'start', flow: codeFlow.name }, ...readAs('codes', code, reading)];
      }
      case 'no':
        return isBare && said.names === undefined && isFree ? [{ do: 'no' }] : undefined;
      default:
        return undefined;
    }
  }

  /** Values without a command. */
  function valuesAlone(heard: Heard): readonly Spoken[] | undefined {
    const { said, gifts, expecting, reading } = heard;
    const { at, kind } = expecting;
    const { names, mangled } = said;
    const flow = FREE.has(at) ? undefined : heard.flow;
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
    if (
      kind === 'gift' &&
      gifts.length > 0 &&
      asking.isQuestion(heard.text) &&
      !giftNames.isAbout(said.rest, gifts)
    )
      return undefined;
    if (flow && !takes('codes') && !hasIdentity && !mangled && gifts.length === 0)
      if (!(takes('gift') && hasCode)) return undefined;
    const values = valuesOf(heard, FREE.has(at) ? undefined : heard.flow);
    return values.length === 0 ? undefined : values;
  }

  /** What a text says for a flow; for none, all that can be kept. */
  function valuesOf(heard: Heard, flow: Flow | undefined): readonly Spoken[] {
    const { text, said, gifts, reading } = heard;
    const { codes: named, noEmail, mangled, act } = said;
    const slots = flow?.slots ?? ['codes', 'phone', 'email'];
    const values: Spoken[] = [];
    if (slots.includes('codes') && named.length > 0)
      values.push(listCommand(heard) ?? { do: 'add', codes: named });
    if (slots.includes('gift')) {
      const [gift, ...others] = gifts;
      const [code] = named;
      if (gift && others.length > 0) values.push({ do: 'among', gifts: gifts.map((one) => one.code) });
      else if (gift) values.push({ do: 'set', slot: 'gift', value: gift.code });
      else if (code !== undefined && reading.settings.gifts.length === 0)
        values.push({ do: 'set', slot: 'gift', value: code });
      else if (code !== undefined && act === `start ${flow?.name}`)
        values.push({ do: 'unclear', wrong: { kind: 'gift', reason: 'gift.unknown' } });
      const count = giftNames.quantity(text, reading.settings.gifts);
      if (count !== undefined) values.push({ do: 'many', count });
    }
    if (slots.includes('period')) {
      const period = periodOf(said, reading) ?? (said.ever ? always(reading) : undefined);
      values.push(...[typeOf(said) ?? [], period ?? []].flat());
    }
    values.push(...identityOf(said));
    if (noEmail && slots.includes('email')) values.push({ do: 'none', field: 'email' });
    if (mangled) values.push(mangledAs(mangled));
    return values;
  }

  /** No command and no value: a question, the answer, right or wrong, to ours, or something to be kindly unsure of. */
  function wholeText({ text, said, expecting, reading, flow }: Heard): readonly Spoken[] {
    const { at, kind, isStaff } = expecting;
    const script = scriptOf(text);
    if (script === 'none') return [{ do: 'talk', about: 'remark' }];
    if (script === 'other') return [{ do: 'unclear', script: true }];
    if (asking.isQuestion(text)) return [{ do: 'ask', about: 'unknown' }];
    const isAsked = (at === 'slot' || at === 'doubt') && kind !== undefined;
    if (said.mangled && !isAsked) return [mangledAs(said.mangled)];
    if (!isAsked) return [{ do: 'unclear' }];
    // Staff name a customer by either.
    if (
      (kind === 'gift' || (kind === 'phone' && flow?.identity === 'proved')) &&
      isStaff &&
      text.includes('@')
    )
      return readAs('email', text, reading);
    if (kind === 'phone' && flow?.identity === 'proved') {
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
        return [periodRead(reader.pieces(text), reading)];
      case 'list':
        return wrong('history.type');
    }
  }

  function periodOf({ period }: Said, reading: Reading): Spoken | undefined {
    return period === undefined ? undefined : periodRead(period, reading);
  }

  function periodRead(pieces: Pieces, { nowMs, settings }: Reading): Spoken {
    const read = readPeriod(pieces, nowMs, settings.timeZone, times.small);
    return read.ok
      ? { do: 'period', period: read.value }
      : { do: 'unclear', wrong: { kind: 'period', reason: read.reason } };
  }

  /** What a text makes of the codes at hand, where it does more than to name others. */
  function listCommand({ text, said, expecting }: Heard): Spoken | undefined {
    const { codes, act, names, phone, email } = said;
    if (expecting.codes.length === 0) return undefined;
    const command = lists.command(withoutIdentity(text, phone ?? email), codes, expecting.codes);
    const isNamed =
      command?.do !== 'replace' || command.old.length > 0 || names === undefined || names === 'code';
    if (command) return isNamed ? command : undefined;
    if (act !== 'remove' || names === 'email' || said.denies) return undefined;
    // In words that no line has: which one is asked, and never taken.
    const isSaid = names === 'code' || codes.some((code) => expecting.codes.includes(code));
    return isSaid && (codes.length === 0 || expecting.codes.length > 1)
      ? { do: 'remove', which: [] }
      : undefined;
  }

  return {
    interpret,
    hear: reader.read,
    localeOf: (text, about) => localeNamed(reader.localeOf(text, about)),
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
      if (isLink(text)) return [codeInLink(text) ?? []].flat();
      const code = codes.read(text);
      return code.ok ? [code.value] : reader.read(text).codes;
    },
  };
}

/** Answers that depend on what they are asked of. */
const PRICE = 'gift.price';
const WRONG = 'code.wrong';

/** How near an example must be (0–1) to be offered, and to be done. */
const OFFERED = 0.4;
const DONE = 0.6;

/** Whether a text that is no value of the kind that is asked nearly is one: has digits, or an @. */
const isNearly = (wrong: Fault | undefined, text: string) => wrong !== undefined && /[\d@]/.test(text);

const isUnknown = (command: Spoken | undefined) => command?.do === 'ask' && command.about === 'unknown';

/** What declines to answer: no, skip, never mind. */
const SKIPS: ReadonlySet<string | undefined> = new Set(['none', 'no', 'cancel mild']);
const NO: ReadonlySet<string | undefined> = new Set([...SKIPS, 'cancel']);
/** Beside a value, these are only how it is said: "giúp mình mã TIVI000000017 với". */
const BESIDE_VALUES: ReadonlySet<string | undefined> = new Set([
  'show help',
  'show menu',
  'talk bye',
  'page same',
]);
/** Where no flow waits for an answer. */
const FREE: ReadonlySet<Expecting['at']> = new Set(['nothing', 'page', 'consent'] as const);

const PAGES: Readonly<Record<string, 'next' | 'previous' | 'same'>> = {
  'page next': 'next',
  'page previous': 'previous',
  'page same': 'same',
};

/** Acts that are a command by themselves; `bare`: where no value came along. */
const SIMPLE: Readonly<Record<string, { readonly command: Spoken; readonly bare?: true }>> = {
  status: { command: { do: 'status' } },
  'show languages': { command: { do: 'show', what: 'languages' } },
  'show help': { command: { do: 'show', what: 'help' } },
  'show menu': { command: { do: 'show', what: 'menu' } },
  'show privacy': { command: { do: 'show', what: 'privacy' } },
  'show erasing': { command: { do: 'show', what: 'erasing' } },
  'show person': { command: { do: 'show', what: 'person' } },
  'show complaint': { command: { do: 'show', what: 'complaint' } },
  cancel: { command: { do: 'cancel' } },
  'cancel mild': { command: { do: 'cancel', mild: true } },
  'talk bye': { command: { do: 'talk', about: 'bye' } },
  'page same': { command: { do: 'page', to: 'same' } },
  'ask what': { command: { do: 'ask', about: 'what' }, bare: true },
  'ask who': { command: { do: 'ask', about: 'answer', id: 'who' }, bare: true },
  'talk greeting': { command: { do: 'talk', about: 'greeting' }, bare: true },
  'talk thanks': { command: { do: 'talk', about: 'thanks' }, bare: true },
  'talk wait': { command: { do: 'talk', about: 'wait' }, bare: true },
  'talk upset': { command: { do: 'talk', about: 'upset' }, bare: true },
  'talk remark': { command: { do: 'talk', about: 'remark' }, bare: true },
};

/** The text without the phone or the e-mail that was found in it. */
const withoutIdentity = (text: string, found: string | undefined): string =>
  found === undefined ? text : text.replace(/\S+@\S+|(?<![\p{L}\p{N}])\+?\d[\d .()-]{7,}\d/gu, ' ');

/** Whether a text brings a value along: then it is about that, and no bare yes, no or greeting ("ok TIVI000000017"). */
function brings({ codes, phone, email, mangled }: Said): boolean {
  return codes.length > 0 || (phone ?? email ?? mangled) !== undefined;
}

/** Whether a value answers the question itself. */
function isOwn({ codes, phone, email }: Said, kind: SlotKind | undefined): boolean {
  if (kind === 'phone') return phone !== undefined;
  return kind === 'email' ? email !== undefined : codes.length > 0;
}

type Identity = Pick<Said, 'phone' | 'phoneAsk' | 'email' | 'emailSuggestion'>;

function identityOf({ phone, phoneAsk, email, emailSuggestion }: Identity): Spoken[] {
  const values: Spoken[] = [];
  if (phone !== undefined)
    values.push({
      ...{ do: 'set', slot: 'phone', value: phone },
      ...(phoneAsk && { doubt: { why: phoneAsk, meant: phone } }),
    });
  if (email !== undefined)
    values.push({
      ...{ do: 'set', slot: 'email', value: email },
      ...(emailSuggestion && { doubt: { why: 'typo', meant: emailSuggestion } }),
    });
  return values;
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

function typeOf({ type }: Said): Spoken | undefined {
  return type && { do: 'kind', of: type };
}
