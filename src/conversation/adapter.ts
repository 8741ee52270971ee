import type {
  CodeRef,
  Expecting,
  Interpretation,
  Interpreter,
  Reading,
  SlotKind,
  Spoken,
} from './commands.ts';
import type { Gift } from './context.ts';
import { isQuestion } from './language/asking.ts';
import { fold } from './language/fold.ts';
import { GRAMMARS, phrasesIn } from './language/grammars.ts';
import { talkOfList } from './language/listing.ts';
import { parsePeriod } from './language/periods.ts';
import { codesInScan } from './language/scans.ts';
import { scriptOf } from './language/script.ts';
import type { Language, Understood } from './language/understand.ts';
import { looksLikeIdentity, parseCode } from './language/values/code.ts';
import { emailMeant, parseEmail } from './language/values/email.ts';
import { parsePage } from './language/values/page.ts';
import { namedPeriod } from './language/values/period.ts';
import { parsePhone } from './language/values/phone.ts';
import { readQuantity, withoutNames, withoutQuantity } from './language/values/quantity.ts';
import { hasBeginning, spacedCode } from './language/values/slips.ts';
import { LOCALES } from './message.ts';

/*
 * Until `interpret` is there: what today's `understand` says, as commands.
 */

/** What the adapter needs to know of flows. */
type FlowFacts = {
  readonly name: string;
  readonly identity: 'typed' | 'proved';
  readonly slots: readonly SlotKind[];
};

export function createAdapter(language: Language, flows: readonly FlowFacts[]): Interpreter {
  const flowOf = (name: string | undefined) => flows.find((flow) => flow.name === name);
  const giftFlow = flows.find(({ slots }) => slots.includes('gift'));

  function interpret(text: string, expecting: Expecting, reading: Reading): readonly Spoken[] {
    const { at, buttons } = expecting;
    if (/^\s*\d{1,2}\s*$/.test(text) && at !== 'page' && buttons.length > 1) {
      const choice = buttons[Number(text) - 1];
      if (choice) return [{ do: 'pick', choice }];
    }
    const said = withSpaced(text, language.understand(text), reading);
    return utterance(text, said, expecting, reading);
  }

  function withSpaced(text: string, understood: Understood, { settings }: Reading): Understood {
    const code = brings(understood) ? undefined : spacedCode(text, settings.codePrefixes);
    return code === undefined ? understood : { ...understood, code, codes: [code], names: 'code' };
  }

  function utterance(
    text: string,
    read: Understood,
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] {
    const { gifts } = reading.settings;
    const named = giftsNamed(text, read, gifts);
    const isWished =
      read.intent === undefined &&
      giftFlow &&
      (isNothingButGifts(text, gifts) || (read.wishes && named.length > 0 && speakOf(named, read)));
    const said: Understood = isWished ? { ...read, intent: giftFlow.name } : read;
    const { intent, reference, names } = said;
    const known = reference !== undefined && expecting.references.includes(reference);
    if (known || (intent === 'status' && reference !== undefined)) return [{ do: 'status', reference }];
    const isFree = !brings(said) && intent !== 'remove';
    const plain = named.length === 1 ? withoutNames(text, gifts.flatMap(namesOf)).words : text;
    const costs = named.length === 1 && isFree ? language.answers.find(`${plain}?`) : undefined;
    const isCosts = `answer.${costs?.answered?.id}` === 'answer.gift.price';
    const found = isCosts ? costs : isFree ? language.answers.find(text) : undefined;
    const isPrice = found?.answered && `answer.${found.answered.id}` === 'answer.gift.price';
    const priced = isPrice ? (named.length === 1 ? named[0]?.code : expecting.gift) : undefined;
    const asked: readonly Spoken[] | undefined = found && [
      found.answered
        ? priced !== undefined
          ? { do: 'ask', about: 'gift', gift: priced }
          : isWrong(found.answered.id, names)
            ? { do: 'ask', about: 'wrong' }
            : { do: 'ask', about: 'answer', id: found.answered.id }
        : { do: 'ask', about: 'unknown' },
    ];
    if (asked && found?.sure && !said.noEmail) return asked;
    return (
      atStep(text, said, named, expecting, reading) ??
      byIntent(text, said, named, expecting, reading) ??
      byValues(text, said, named, expecting, reading) ??
      asked ??
      atQuestion(text, said, expecting, reading)
    );
  }

  const isWrong = (id: string, names: string | undefined) =>
    `answer.${id}` === 'answer.code.wrong' && names !== 'code';

  /** Words that mean something only because of the question they answer. */
  function atStep(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const { at, kind } = expecting;
    const { fault, names, noEmail } = said;
    const bare = !brings(said);
    const isYes = language.isYes(text);
    const isThankful = at !== 'nothing' && at !== 'page' && said.intent === 'thanks' && isYes;
    const intent = isThankful ? 'confirm' : said.intent;
    const flow = flowOf(expecting.flow);
    const isSkip =
      bare && noEmail === undefined && !fault && ['skip', 'decline', 'nevermind'].includes(intent ?? '');
    switch (at) {
      case 'consent':
        if (!bare) return undefined;
        if (intent === 'confirm') return [isYes ? { do: 'yes' } : { do: 'unclear', maybe: [{ do: 'yes' }] }];
        return ['decline', 'skip', 'nevermind', 'cancel'].includes(intent ?? '') ? [{ do: 'no' }] : undefined;
      case 'nothing':
        if (!bare) return undefined;
        if (intent === 'confirm') return [{ do: 'yes' }];
        return intent === 'retry' ? [{ do: 'page', to: 'same' }] : undefined;
      case 'page': {
        if (!bare) return undefined;
        if (intent === 'confirm') return [{ do: 'yes' }];
        if (intent === 'next' || intent === 'previous') return [{ do: 'page', to: intent }];
        if (intent === 'retry') return [{ do: 'page', to: 'same' }];
        const page = parsePage(text);
        if (page !== undefined) return [{ do: 'page', to: page }];
        return otherPage(said, expecting, reading);
      }
      case 'slot':
      case 'doubt': {
        if (kind === 'email' && isSkip && !(at === 'doubt' && intent === 'decline'))
          return [{ do: 'none', field: 'email' }];
        if (at === 'doubt' && bare) {
          if (intent === 'confirm') return [{ do: 'use' }];
          if (intent === 'decline') return [{ do: 'no' }];
          if (intent === 'keep') return [{ do: 'keep' }];
          if (intent === 'other' || intent === 'edit') return [{ do: 'other' }];
        }
        if (at === 'doubt' && intent === 'confirm' && !isOwn(said, kind))
          return [
            { do: 'use' },
            ...valuesOf(text, { ...said, intent: undefined }, named, expecting, reading),
          ];
        const inFlow = flowSaid(text, said, named, expecting, reading);
        if (inFlow) return inFlow;
        if (at === 'doubt') return undefined;
        const wrong = intent === 'decline' && fault && bare;
        if (wrong && expecting.editing && names !== undefined) return [{ do: 'change', field: names }];
        if (wrong) return [{ do: 'no', wrong: true }];
        if (isYes && bare) return [{ do: 'yes' }];
        if (isSkip) return [intent === 'nevermind' ? { do: 'cancel', mild: true } : { do: 'no' }];
        return undefined;
      }
      case 'summary':
        switch (intent) {
          case 'edit': {
            const inFlow = flowSaid(text, said, named, expecting, reading);
            if (inFlow) return inFlow;
            const values = valuesOf(text, said, named, expecting, reading);
            return values.length > 0 ? values : [{ do: 'change', ...(names && { field: names }) }];
          }
          case 'decline':
          case 'skip':
            if (!bare || noEmail) return flowSaid(text, said, named, expecting, reading);
            return names === undefined ? [{ do: 'no' }] : [{ do: 'change', field: names }];
          case 'confirm':
            if (!bare || noEmail || names) return flowSaid(text, said, named, expecting, reading);
            return [isYes ? { do: 'yes' } : { do: 'unclear', maybe: [{ do: 'yes' }] }];
          case 'retry':
            return bare ? [{ do: 'page', to: 'same' }] : flowSaid(text, said, named, expecting, reading);
          case 'nevermind':
            if (isYes) return [{ do: 'unclear', maybe: [{ do: 'yes' }] }];
            return flowSaid(text, said, named, expecting, reading);
          default:
            if (flow && intent === flow.name && bare && saysYes(text) && named.length === 0)
              return [{ do: 'unclear', maybe: [{ do: 'yes' }] }];
            return flowSaid(text, said, named, expecting, reading);
        }
    }
  }

  /** "Ok đổi đi": a yes with the flow's own verb. */
  function saysYes(text: string): boolean {
    const words = text.split(/[\s,.!]+/);
    return words.some(
      (_, at) => language.isYes(words.slice(0, at).join(' ')) || language.isYes(words.slice(-at).join(' ')),
    );
  }

  /** What a text means only while this flow waits for an answer. */
  function flowSaid(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const flow = flowOf(expecting.flow);
    const { intent, names } = said;
    const { at, kind } = expecting;
    if (flow?.slots.includes('codes')) {
      if (intent === 'remove' && names === 'email') return [{ do: 'none', field: 'email' }];
      const isOther = flowOf(intent) !== undefined && intent !== flow.name;
      const isOfList = !isOther || said.codes.some((one) => expecting.codes.includes(one));
      const list = isOfList ? listCommand(text, said, expecting) : undefined;
      if (list) return [list, ...identityOf(said)];
      if (intent === 'edit' && names === 'code' && !brings(said) && expecting.codes.length > 0)
        return [{ do: 'change', field: 'code' }];
      return undefined;
    }
    if (flow?.slots.includes('gift')) {
      const wanted = quantityIn(text, reading);
      if (at === 'summary' && intent === flow.name) return otherGift(text, said, named, expecting, reading);
      if (at === 'summary')
        return wanted === undefined || (wanted > 1 && intent === 'cancel')
          ? undefined
          : [{ do: 'many', count: wanted }];
      if (kind === 'phone') return otherGift(text, said, named, expecting, reading);
      if (kind !== 'gift') return undefined;
      const isSkip = !brings(said) && ['skip', 'decline', 'nevermind'].includes(intent ?? '') && !said.fault;
      if (isSkip) return [{ do: 'none' }];
      return named.length > 0 ? valuesOf(text, said, named, expecting, reading) : undefined;
    }
    if (flow?.slots.includes('period') && at === 'slot') {
      const period = periodOf(said, reading);
      const type = typeOf(said);
      const isAlone = said.period !== undefined && (intent ?? said.phone ?? said.email) === undefined;
      if (kind === 'phone' && period?.do !== 'unclear' && !isAlone) return undefined;
      if (kind === 'period' && !period) return undefined;
      if (!period && !type) return undefined;
      return [type ?? [], period ?? [], identityOf(said)].flat();
    }
    return undefined;
  }

  function otherGift(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const { intent, code, phone, email } = said;
    const flow = flowOf(expecting.flow);
    const isWish = intent === flow?.name;
    if (intent !== undefined && !isWish) return undefined;
    const [gift, ...others] = named;
    const wanted = quantityIn(text, reading);
    if (gift && others.length === 0 && gift.code === expecting.gift)
      return wanted === undefined ? undefined : [{ do: 'many', count: wanted }];
    if (gift) return valuesOf(text, said, named, expecting, reading);
    return isWish && flow && (code ?? phone ?? email) === undefined
      ? [{ do: 'start', flow: flow.name }]
      : undefined;
  }

  /** What else is said at a page. */
  function otherPage(
    said: Understood,
    { flow, isStaff }: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const isOther = said.intent !== undefined && (said.intent !== flow || isStaff);
    if (isOther && !said.gifts) return undefined;
    const type: Spoken | undefined = said.gifts ? { do: 'kind', of: 'gift' } : typeOf(said);
    const period = periodOf(said, reading) ?? (said.ever ? always(reading) : undefined);
    if (type?.do === 'kind' && type.of === 'both') return undefined;
    return type || period ? [type ?? [], period ?? []].flat() : undefined;
  }

  /** What a text wants, whatever is being asked. */
  function byIntent(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const { intent, code } = said;
    const bare = !brings(said);
    if (['help', 'menu', 'bye', 'retry'].includes(intent ?? '') && !bare) return undefined;
    const flow = flowOf(intent);
    if (flow) {
      const isAsked = isQuestion(text) && bare;
      const values = valuesOf(text, said, named, { ...expecting, flow: flow.name }, reading);
      return [{ do: 'start', flow: flow.name, ...(isAsked && { asked: true }) }, ...values];
    }
    const locale = LOCALES.find((one) => intent === `language:${one}`);
    if (locale) return [{ do: 'speak', locale }];
    const link = flows.find(({ slots }) => slots.includes('codes'));
    switch (intent) {
      case 'status':
        return [{ do: 'status' }];
      case 'language':
        return [{ do: 'show', what: 'languages' }];
      case 'help':
      case 'menu':
      case 'privacy':
        return [{ do: 'show', what: intent }];
      case 'support':
        return [{ do: 'show', what: 'person' }];
      case 'forget':
        return [{ do: 'show', what: 'erasing' }];
      case 'cancel':
        return [{ do: 'cancel' }];
      case 'nevermind':
        return [{ do: 'cancel', mild: true }];
      case 'remove':
        return expecting.at === 'slot' || expecting.at === 'doubt' || expecting.at === 'summary'
          ? undefined
          : said.codes.length > 0
            ? [{ do: 'remove', which: said.codes.map((one) => ({ code: one })) }]
            : [{ do: 'cancel' }];
      case 'start':
        return code === undefined || !link
          ? [{ do: 'show', what: 'welcome' }]
          : [{ do: 'start', flow: link.name }, ...read('codes', code, reading)];
      case 'bye':
        return [{ do: 'talk', about: 'bye' }];
      case 'retry':
        return [{ do: 'page', to: 'same' }];
    }
    if (!bare) return undefined;
    switch (intent) {
      case 'explain':
        return [{ do: 'ask', about: 'what' }];
      case 'who':
        return [{ do: 'ask', about: 'answer', id: 'who' }];
      case 'greet':
        return [{ do: 'talk', about: 'greeting' }];
      case 'thanks':
      case 'wait':
      case 'upset':
      case 'remark':
        return [{ do: 'talk', about: intent }];
      case 'decline':
        if (said.names !== undefined) return undefined;
        return expecting.at === 'nothing' || expecting.at === 'page' ? [{ do: 'no' }] : undefined;
      default:
        return undefined;
    }
  }

  /** Values without a command. */
  function byValues(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] | undefined {
    const { code, codes, phone, email, names } = said;
    const { at, kind } = expecting;
    const flow = at === 'nothing' || at === 'page' || at === 'consent' ? undefined : flowOf(expecting.flow);
    const hasIdentity = (phone ?? email) !== undefined;
    const isWanted = kind === 'phone' || kind === 'email';
    if (flow && !flow.slots.includes('codes') && code !== undefined) {
      const isGift = flow.slots.includes('gift') && (named.length > 0 || reading.settings.gifts.length === 0);
      const isSure = hasBeginning(code, reading.settings.codePrefixes);
      if (!isGift && !codes.every(looksLikeIdentity) && (kind !== 'gift' || isSure))
        return [{ do: 'add', codes }, ...identityOf(said)];
      if (!isGift && !hasIdentity) return undefined;
    }
    // A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none.
    if (flow && isWanted && code !== undefined && names !== 'code' && !hasIdentity) {
      const isGiven = flow.slots.includes('gift') ? expecting.gift !== undefined : expecting.codes.length > 0;
      if (isGiven && (!flow.slots.includes('codes') || codes.every(looksLikeIdentity))) return undefined;
    }
    if (flow && !flow.slots.includes('codes') && !hasIdentity && !said.mangled && named.length === 0)
      if (!(flow.slots.includes('gift') && code !== undefined)) return undefined;
    if (
      flow &&
      at === 'slot' &&
      kind === 'phone' &&
      hasIdentity &&
      flow.identity === 'proved' &&
      !expecting.isStaff
    )
      return valuesOf(text, said, named, expecting, reading);
    const values = valuesOf(text, said, named, { ...expecting, flow: flow?.name }, reading);
    return values.length === 0 ? undefined : values;
  }

  /** What a text says for a flow. */
  function valuesOf(
    text: string,
    said: Understood,
    named: readonly Gift[],
    expecting: Expecting,
    reading: Reading,
  ): readonly Spoken[] {
    const { code, codes, noEmail, mangled, intent } = said;
    const flow = flowOf(expecting.flow);
    const slots = flow?.slots ?? ['codes', 'phone', 'email'];
    const isCode = slots.includes('codes') && codes.length > 0;
    const list = isCode ? listCommand(text, said, expecting) : undefined;
    const gifts: Spoken[] = [];
    if (slots.includes('gift')) {
      const [gift, ...others] = named;
      if (gift && others.length > 0) gifts.push({ do: 'among', gifts: named.map((one) => one.code) });
      else if (gift) gifts.push({ do: 'set', slot: 'gift', value: gift.code });
      else if (code !== undefined && reading.settings.gifts.length === 0)
        gifts.push({ do: 'set', slot: 'gift', value: code });
      else if (code !== undefined && intent === flow?.name)
        gifts.push({ do: 'unclear', wrong: { kind: 'gift', reason: 'gift.unknown' } });
      const count = quantityIn(text, reading);
      if (count !== undefined) gifts.push({ do: 'many', count });
    }
    const isHistory = slots.includes('period');
    const period = isHistory
      ? (periodOf(said, reading) ?? (said.ever ? always(reading) : undefined))
      : undefined;
    const type = isHistory ? typeOf(said) : undefined;
    return [
      ...(isCode ? [list ?? ({ do: 'add', codes } as const)] : []),
      ...gifts,
      ...(type ? [type] : []),
      ...(period ? [period] : []),
      ...identityOf(said),
      ...(noEmail && slots.includes('email') ? [{ do: 'none', field: 'email' } as const] : []),
      ...(mangled
        ? [
            {
              do: 'unclear',
              wrong: { kind: mangled === 'code' ? 'codes' : 'email', reason: `${mangled}.vietnamese` },
            } as const,
          ]
        : []),
    ];
  }

  /** No command and no value. */
  function atQuestion(
    text: string,
    said: Understood,
    { at, kind, flow: name, isStaff }: Expecting,
    reading: Reading,
  ): readonly Spoken[] {
    const script = scriptOf(text);
    if (script === 'none') return [{ do: 'talk', about: 'remark' }];
    if (script === 'other') return [{ do: 'unclear', script: true }];
    if (isQuestion(text)) return [{ do: 'ask', about: 'unknown' }];
    if (said.mangled && at !== 'slot' && at !== 'doubt')
      return [
        {
          do: 'unclear',
          wrong: { kind: said.mangled === 'code' ? 'codes' : 'email', reason: `${said.mangled}.vietnamese` },
        },
      ];
    const flow = flowOf(name);
    if ((at !== 'slot' && at !== 'doubt') || !kind) return [{ do: 'unclear' }];
    if (kind === 'phone' && flow?.identity === 'proved') {
      if (!isStaff) return [{ do: 'unclear', wrong: { kind, reason: 'phone.shape' } }];
      if (text.includes('@')) return read('email', text, reading);
      const phone = parsePhone(text);
      if (!phone.ok && phone.reason === 'phone.shape')
        return [{ do: 'unclear', wrong: { kind, reason: 'identity.shape' } }];
    }
    if (kind === 'gift' && text.includes('@') && isStaff) return read('email', text, reading);
    return read(kind, text, reading);
  }

  /** A text as a value of a kind. */
  function read(kind: SlotKind, text: string, { settings, nowMs }: Reading): readonly Spoken[] {
    const wrong = (reason: string): readonly Spoken[] => [{ do: 'unclear', wrong: { kind, reason } }];
    switch (kind) {
      case 'codes': {
        const code = language.readCode(text);
        return code.ok ? [{ do: 'add', codes: [code.value] }] : wrong(code.reason);
      }
      case 'phone': {
        const phone = parsePhone(text);
        if (!phone.ok) return wrong(phone.reason);
        const { value, ask } = phone;
        return [{ do: 'set', slot: 'phone', value, ...(ask && { doubt: { why: ask, meant: value } }) }];
      }
      case 'email': {
        const email = parseEmail(text);
        const meant = email.ok ? undefined : emailMeant(text);
        if (meant !== undefined) return [{ do: 'set', slot: 'email', doubt: { why: 'typo', meant } }];
        if (!email.ok) return wrong(email.reason);
        const { value, suggestion } = email;
        return [
          {
            do: 'set',
            slot: 'email',
            value,
            ...(suggestion && { doubt: { why: 'typo' as const, meant: suggestion } }),
          },
        ];
      }
      case 'gift': {
        if (settings.gifts.length > 0) return wrong('gift.unknown');
        const code = language.readCode(text);
        return code.ok ? [{ do: 'set', slot: 'gift', value: code.value }] : wrong(code.reason);
      }
      case 'period': {
        const period = parsePeriod(text, nowMs, settings.timeZone);
        return period.ok ? [{ do: 'period', period: period.value }] : wrong(period.reason);
      }
      case 'list':
        return wrong('history.type');
    }
  }

  return {
    interpret(text, expecting, reading): Interpretation {
      const commands = interpret(text, expecting, reading);
      return { commands, why: { covered: [] } };
    },
    localeOf: language.localeOf,
    erases(text) {
      return /^\s*\/\w+/.test(text) && language.understand(text).intent === 'forget';
    },
    read(kind, text, reading) {
      if (kind !== 'codes') return read(kind, text, reading);
      const { codes, fault } = language.readCodes(text);
      return [
        ...(codes.length > 0 ? [{ do: 'add', codes } as const] : []),
        ...(fault ? [{ do: 'unclear', wrong: { kind, reason: fault.reason } } as const] : []),
      ];
    },
    link(payload) {
      const code = parseCode(payload);
      return code.ok
        ? [{ do: 'add', codes: [code.value] }]
        : [{ do: 'unclear', wrong: { kind: 'codes', reason: code.reason } }];
    },
    scan: (text) => codesInScan(text, language),
  };
}

function brings({ code, phone, email, mangled }: Understood): boolean {
  return (code ?? phone ?? email ?? mangled) !== undefined;
}

/** Whether a value answers the question itself. */
function isOwn({ code, phone, email }: Understood, kind: SlotKind | undefined): boolean {
  return (kind === 'phone' ? phone : kind === 'email' ? email : code) !== undefined;
}

function identityOf({ phone, phoneAsk, email, emailSuggestion }: Understood): Spoken[] {
  const values: Spoken[] = [];
  if (phone !== undefined)
    values.push({
      do: 'set',
      slot: 'phone',
      value: phone,
      ...(phoneAsk && { doubt: { why: phoneAsk, meant: phone } }),
    });
  if (email !== undefined)
    values.push({
      do: 'set',
      slot: 'email',
      value: email,
      ...(emailSuggestion && { doubt: { why: 'typo', meant: emailSuggestion } }),
    });
  return values;
}

function periodOf({ period }: Understood, { nowMs, settings }: Reading): Spoken | undefined {
  if (period === undefined) return undefined;
  const read = parsePeriod(period, nowMs, settings.timeZone);
  return read.ok
    ? { do: 'period', period: read.value }
    : { do: 'unclear', wrong: { kind: 'period', reason: read.reason } };
}

function always({ nowMs, settings }: Reading): Spoken {
  return { do: 'period', period: namedPeriod('all', nowMs, settings.timeZone) };
}

function typeOf({ type }: Understood): Spoken | undefined {
  return type && { do: 'kind', of: type };
}

/** What a text makes of the codes at hand, where it does more than to name others. */
function listCommand(text: string, said: Understood, { codes }: Expecting): Spoken | undefined {
  const { codes: named, intent, names, rest } = said;
  if (codes.length === 0) return undefined;
  const talk = talkOfList(text, named);
  const isDeclined = intent === 'decline' || intent === 'cancel' || intent === 'nevermind';
  const { removes, replaces, denies, corrects, keeps } = talk;
  const isHere = (code: string) => codes.includes(code);
  const places = removes || replaces || denies || corrects || keeps || isDeclined ? talk.places : [];
  const onlyRemoves = removes && !replaces && !corrects && !talk.adds;
  const away = talk.away.length === 0 && onlyRemoves && named.some(isHere) ? named : talk.away;
  const ends = removes || replaces ? rest.split(' ').filter((word) => /^(?=.*\d)[\w.-]{3,}$/.test(word)) : [];
  const refs = (list: readonly string[]): CodeRef[] => list.map((code) => ({ code }));
  const old: CodeRef[] = [
    ...places.map((place) => ({ place })),
    ...refs(away),
    ...ends.map((end) => ({ end })),
  ];
  const others = named.filter((code) => !away.includes(code));
  const here = others.filter(isHere);
  const fresh = others.filter((code) => !isHere(code));
  const kept = [...old, ...refs(here)];
  if (keeps && kept.length > 0 && fresh.length === 0) {
    const gone = talk.keepsOthers ? kept : refs(talk.away.filter(isHere));
    if (gone.length > 0) return { do: 'remove', which: gone };
    const goes = (removes || denies || isDeclined) && !talk.keepsNamed;
    return { do: goes ? 'remove' : 'keepOnly', which: kept };
  }
  const isOfCodes = names === undefined || names === 'code';
  if (fresh.length > 0) {
    const isWrong = (corrects || isDeclined) && !talk.adds;
    const isMeant = kept.length > 0 || isOfCodes;
    if (!(isMeant && (replaces || isWrong)) && !old.some((ref) => isThere(ref, codes))) return undefined;
    const wrong = old.some((ref) => isThere(ref, codes)) ? old : refs(here);
    return { do: 'replace', old: wrong, codes: fresh };
  }
  const missing = old.some((ref) => !isThere(ref, codes));
  const speaksOfCodes = names === 'code' || kept.length > 0 || missing;
  const isRemoval = removes || intent === 'remove' || isDeclined || old.length > 0;
  if (!isRemoval || !speaksOfCodes) return undefined;
  const which = old.length > 0 ? old : refs(here);
  // "Không" without a code that goes is an answer to something else.
  if (which.length === 0 && isDeclined && !removes) return undefined;
  return { do: 'remove', which };
}

function isThere(ref: CodeRef, codes: readonly string[]): boolean {
  if ('place' in ref)
    return ref.place === 0 || codes.at(ref.place > 0 ? ref.place - 1 : ref.place) !== undefined;
  const end = 'code' in ref ? ref.code : ref.end;
  return codes.filter((code) => code.toUpperCase().endsWith(end.toUpperCase())).length === 1;
}

/*
 * Gifts.
 */

function quantityIn(text: string, { settings }: Reading): number | undefined {
  return readQuantity(text, settings.gifts.flatMap(namesOf));
}

function giftsNamed(text: string, { rest }: Understood, gifts: readonly Gift[]): readonly Gift[] {
  const { found } = withoutNames(text.replace(/\S*@\S*/g, ' '), gifts.flatMap(namesOf));
  const isFound = (name: string) => found.includes(fold(name));
  const coded = gifts.filter(({ code }) => isFound(code));
  if (coded.length > 0) return coded;
  const named = gifts.filter((gift) => namesOf(gift).some(isFound));
  const priced = named.length < 2 ? [] : named.filter(({ score }) => saysNumber(text, score));
  if (priced.length === 1 || named.length > 0) return priced.length === 1 ? priced : named;
  return rest === '' ? [] : gifts.filter((gift) => isOf(gift, fold(rest).split(' ')));
}

function saysNumber(text: string, number: number): boolean {
  const plain = text.replace(/(\d)[.,](?=\d{3}(?!\d))/g, '$1');
  return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(plain);
}

const PARTICLES = new Set(
  phrasesIn(({ particles, several }) => `${particles}, ${several.beside}`).flatMap((phrase) =>
    phrase.split(' '),
  ),
);

function isNothingButGifts(text: string, gifts: readonly Gift[]): boolean {
  const { words, found } = withoutNames(text, gifts.flatMap(namesOf));
  return found.length > 0 && withoutQuantity(words).every((word) => PARTICLES.has(word));
}

function speakOf(gifts: readonly Gift[], { rest }: Understood): boolean {
  const names = gifts.flatMap(namesOf);
  const words = withoutQuantity(withoutNames(rest, names).words);
  return words.every((word) => names.some((name) => name.split(' ').includes(word)));
}

function isOf(gift: Gift, words: readonly string[]): boolean {
  const own = namesOf(gift).flatMap((name) => name.split(' '));
  return words.every((word) => own.includes(word));
}

const ENDINGS = GRAMMARS.map(({ several }) => several.ending);

function namesOf({ code, name }: Gift): string[] {
  const names = Object.values(name).map(fold);
  return [...new Set([fold(code), ...ENDINGS.flatMap((ending) => names.map((one) => one + ending))])];
}
