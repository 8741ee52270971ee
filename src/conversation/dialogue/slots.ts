import type { Command, CommandOf } from '../commands.ts';
import type { ProvableValue } from '../effect.ts';
import { type Flow, readsBalance, type Scope } from '../flow.ts';
import { showPhone } from '../prompts/format.ts';
import { findGift } from '../prompts/gifts.ts';
import { canProveByCode, collectIdentity, findProof, isStaff, toTypedValue } from '../prompts/identity.ts';
import { changeLast, choice, type Reply } from '../reply.ts';
import { type Draft, dropOffer, type Identity, type Offer, type State } from '../state.ts';
import { findCallHindrance, retry, runningFlow } from './advance.ts';
import { answer, sayNotUnderstood } from './digressions.ts';
import { addDoubts, dropDoubts } from './doubts.ts';
import { manyLine } from './gift-topics.ts';
import { toBrowsedDraft } from './pages.ts';
import { parkFlow, parkValues, unparkFlow } from './parking.ts';
import { askStep, goHome, remark, slotStep } from './questions.ts';
import { digress, findFlow, type Reduction, type Round, setSlots } from './round.ts';

/*
 * How a flow begins, and what sets its slots, except codes.
 */

/** Begins a flow with known values, or goes on with it, and says so if another flow is set aside. */
export function startFlow(round: Round, { flow: name, asked }: CommandOf<'start'>): Reduction {
  const { state, scope } = round;
  const flow = scope.flows.get(name);
  if (!flow) return sayNotUnderstood(round);
  const left = runningFlow(state, scope);
  const { codes, gift } = state.draft;
  // A mere question must not lose the codes or the gift of the running flow.
  const isWish = scope.commands.some(
    (command) => command.do === 'among' || (command.do === 'set' && command.slot === 'gift'),
  );
  if (
    asked &&
    !isWish &&
    left &&
    left !== flow &&
    (codes ?? gift) !== undefined &&
    flow.identity === 'proved'
  ) {
    if (gift !== undefined && readsBalance(flow))
      return digress(round, answer(state, { key: 'answer.gift.left' }, scope));
    return digress(round, {
      key: 'flow.first',
      params: { ...nameFlow(left), next: { key: `flow.${flow.name}` } },
      choices: [choice(flow.name)],
    });
  }
  if (left !== flow) return beginFlow(round, flow);
  // "Đổi quà khác" ("another gift").
  const isOther =
    flow.slots.includes('gift') && state.draft.gift !== undefined && scope.commands.length === 1;
  return isOther ? askStep(state, slotStep(flow, 'gift', { editing: true }), scope) : { ...round, flow };
}

export function beginFlow(round: Round, flow: Flow): Reduction {
  const { state: before, scope } = round;
  const left = runningFlow(before, scope);
  const wait = scope.serviceUp ? findCallHindrance(flow, before, scope) : { key: 'service.unavailable' };
  if (wait && left) return remark(before, scope, wait);
  if (wait) return goHome(parkValues(before, { flow, commands: scope.commands }, scope), scope, wait);
  const parked = left ? parkFlow(before, left) : before;
  const { state, draft: gathered } = unparkFlow(parked, flow);
  const doubts = [...((left ? undefined : before.draft.doubts) ?? []), ...(gathered?.doubts ?? [])];
  const doubted = doubts.length > 0 && { doubts };
  const known: Draft = { ...collectIdentity(before, scope), ...gathered, ...doubted };
  const isSkipped = flow.slots.includes('email') && known.email === undefined && state.emailAsked;
  const draft = isSkipped ? { ...known, email: null } : known;
  const [slot = 'phone'] = flow.slots;
  const begun = { ...state, step: slotStep(flow, slot), draft };
  const remarks = [
    ...(left ? [saySwitched(left, parked !== before)] : []),
    ...(gathered ? [{ key: 'flow.resumed', params: nameFlow(flow) }] : []),
  ];
  return { ...round, state: begun, remarks: [...round.remarks, ...remarks], flow };
}

const nameFlow = ({ name }: Flow) => ({ flow: { key: `flow.${name}` } });

const saySwitched = (left: Flow, isParked: boolean): Reply => ({
  key: 'flow.switched',
  context: isParked ? 'kept' : undefined,
  params: nameFlow(left),
});

type SetGift = Extract<Command, { do: 'set'; slot: 'gift' }>;
type GiftCommand = SetGift | CommandOf<'among'>;

/** A gift, or several that a text may have meant. */
export function setGift(round: Round, command: GiftCommand): Reduction {
  const { scope } = round;
  // The gift of a complaint is what it is about, and no wish.
  if (scope.commands.some((command) => command.do === 'show' && command.what === 'complaint')) return round;
  const running = findFlow(round);
  const hasGift = ({ slots }: Flow) => slots.includes('gift');
  const flow = running && hasGift(running) ? running : scope.flows.all.find(hasGift);
  if (!flow) return sayNotUnderstood(round);
  if (command.do === 'set' && isShownGift(round, command)) return stayAtSummary(round);
  const begun = flow === running ? round : beginFlow(round, flow);
  if ('replies' in begun) return begun;
  const chosen = command.do === 'set' ? { gift: command.value } : { among: [...command.gifts] };
  const taken = setSlots(begun, { gift: undefined, among: undefined, price: undefined, ...chosen });
  if (command.do === 'among' || !command.several) return taken;
  const gift = findGift(command.value, scope);
  const many = gift && manyLine(gift, taken.state.draft.balance?.points ?? undefined);
  const params = { gift: gift?.name ?? command.value };
  const isOne = many?.context === 'one';
  return { ...taken, remarks: [...taken.remarks, isOne ? many : { key: 'redeem.oneAtATime', params }] };
}

/** Whether the summary of this gift waits already. */
function isShownGift({ state: { step, draft } }: Round, { value, several }: SetGift): boolean {
  return step.at === 'confirming' && draft.gift === value && !several;
}

function stayAtSummary({ flow: _, ...round }: Round): Round {
  return round;
}

/** Sets the list or the period of the history. The other values of a shown page stay. */
export function setHistory(round: Round, command: CommandOf<'period' | 'kind'>): Round {
  const { state, scope } = round;
  // The list of a complaint is what it is about, and no wish.
  if (scope.commands.some((command) => command.do === 'show' && command.what === 'complaint')) return round;
  const { step } = state;
  const draft: Draft =
    command.do === 'period'
      ? { period: command.period }
      : { list: command.of === 'both' ? null : command.of };
  const running = findFlow(round);
  const shown = step.at === 'browsing' && draft.list !== null ? scope.flows.get(step.flow) : undefined;
  if (!running && shown && step.at === 'browsing') {
    const browsed = { ...state, draft: { ...state.draft, ...toBrowsedDraft(step.page) } };
    return setSlots({ ...round, state: browsed, flow: shown }, draft);
  }
  if (running?.slots.includes('period')) return setSlots(round, draft);
  return scope.commands.length > 1 ? round : sayNotUnderstood(round);
}

type SetIdentity = Extract<Command, { do: 'set'; slot: 'phone' | 'email' }>;

export function setIdentity(round: Round, command: SetIdentity): Reduction {
  const { scope } = round;
  const { slot, value, proved } = command;
  if (proved !== undefined) return setShared(round, { ...command, proved });
  const flow = findFlow(round);
  if (!flow) return keepForLater(round, command);
  const known = toTypedValue(value ?? '', scope);
  const counts = flow.identity === 'typed' || known.proved;
  if (command.doubt && (counts || round.state.draft.proof))
    return { ...round, state: addDoubts(dropDoubts(round.state, slot), [toOffer(command)]), flow };
  if (!counts) return setUnproved(round, command);
  if (value === undefined) return round;
  if (command.kept && isOther(round.state, command))
    return setSeveral(round, mergeValues(round.state, command));
  // Staff may name another customer: what needs a proof is about one identifier.
  if (flow.identity === 'proved' && isStaff(scope)) {
    const other = slot === 'phone' ? 'email' : 'phone';
    const isNamed = scope.commands.some((command) => command.do === 'set' && command.slot === other);
    if (!isNamed) return setSlots(round, { [other]: undefined, [slot]: known });
  }
  return setSlots(round, slot === 'email' ? { email: known } : setPhone(round, known));
}

/** Another person's phone goes without the customer's own e-mail: AntCRM might join the two. */
function setPhone({ state, scope }: Round, phone: ProvableValue): Identity {
  const own = state.profile.phone?.value;
  const isOthers = own !== undefined && state.draft.phone?.value === own && phone.value !== own;
  if (!isOthers || !runningFlow(state, scope)?.slots.includes('email')) return { phone };
  const isSaid = scope.commands.some((command) => command.do === 'set' && command.slot === 'email');
  return isSaid ? { phone } : { phone, email: null };
}

/** Whether a text that only mentions a value has another one than the draft. */
function isOther({ draft }: State, { slot, value }: SetIdentity): boolean {
  const known = draft[slot]?.value;
  return known !== undefined && known !== value;
}

function mergeValues({ draft }: State, { slot, value = '' }: SetIdentity): CommandOf<'several'> {
  return { do: 'several', slot, values: [draft[slot]?.value ?? '', value] };
}

/** A typed value proves nothing here. It never replaces a proved one; the reply says so. */
function setUnproved(round: Round, { slot, value, doubt }: SetIdentity): Reduction {
  const { state, scope } = round;
  const { step, draft } = state;
  const phone = slot === 'phone' && value !== undefined && !doubt ? toTypedValue(value, scope) : undefined;
  if (phone && draft.proof && !draft.phone?.proved && phone.value !== draft.proof.phone)
    return setSlots(round, { phone, proof: { wanted: true } });
  if (step.at === 'asking' && step.slot === 'phone' && !round.flow) {
    const isByCode = canProveByCode(scope);
    const next = isByCode && phone ? { ...state, draft: { ...draft, phone } } : state;
    return changeLast(retry(next, scope), { context: isByCode ? 'typedCode' : 'typed' });
  }
  if (round.flow && !findProof(draft) && value !== undefined && !doubt)
    return { ...round, state: { ...state, draft: { ...draft, [slot]: toTypedValue(value, scope) } } };
  const repeatedValue = value ?? doubt?.meant ?? '';
  // A form and a wish may repeat a known value; a message that is nothing else gets an answer.
  const isRepeated = draft[slot]?.value === repeatedValue && scope.commands.length > 1;
  return isRepeated ? round : tellUnproved(round, slot, [repeatedValue]);
}

function tellUnproved(round: Round, slot: 'phone' | 'email', values: readonly string[]): Round {
  const value = showValues(slot, values);
  return { ...round, remarks: [...round.remarks, { key: 'identity.unproved', params: { value } }] };
}

const showValues = (slot: 'phone' | 'email', values: readonly string[]): string =>
  (slot === 'phone' ? values.map(showPhone) : values).join(', ');

/** A value that no flow asked for. The next flow uses it. */
function keepForLater(round: Round, command: SetIdentity): Round {
  const { slot, value, doubt, kept: isKept } = command;
  const { scope, state } = round;
  const known = value === undefined || doubt ? {} : { [slot]: toTypedValue(value, scope) };
  const { doubts } = state.draft;
  const waiting = doubts ? { doubts } : {};
  const before = state.draft === scope.before.draft ? waiting : state.draft;
  const step = isKept ? state.step : ({ at: 'idle' } as const);
  const noted = { ...state, step, draft: { ...before, ...known } };
  const kept = { ...round, state: addDoubts(noted, doubt ? [toOffer(command)] : []) };
  if (isKept) return kept;
  const params = { value: showValues(slot, [value ?? doubt?.meant ?? '']) };
  return digress(kept, { key: 'unsure', context: 'identity', params });
}

function toOffer({ value, doubt }: SetIdentity): Offer {
  const isUsable = doubt?.why === 'typo' && value !== undefined;
  return { ...(doubt ?? { why: 'spoken', meant: value ?? '' }), ...(isUsable && { typed: value }) };
}

/** Several phones or e-mails, of which one is meant: the customer picks it. */
export function setSeveral(round: Round, { slot, values }: CommandOf<'several'>): Reduction {
  const { scope, state } = round;
  const flow = findFlow(round);
  const offer: Offer = { why: 'several', meant: values[0] ?? '', options: [...values] };
  const counts = !flow || flow.identity === 'typed' || toTypedValue('', scope).proved;
  if (!counts) return tellUnproved(round, slot, values);
  const doubted = { ...round, state: addDoubts(dropDoubts(state, slot), [offer]) };
  if (flow) return { ...doubted, flow };
  const params = { value: showValues(slot, values) };
  return digress(doubted, { key: 'unsure', context: 'identity', params });
}

/**
 * A shared contact. The sender's own number is proved. Another number counts as typed. An old number of
 * eleven digits proves its new form only once the customer has agreed to it.
 */
function setShared(
  round: Round,
  { value = '', doubt, proved }: SetIdentity & { readonly proved: boolean },
): Reduction {
  const { state, scope } = round;
  const flow = runningFlow(state, scope);
  if (!proved && flow?.identity !== 'typed') return digress(round, { key: 'identity.notOwn' });
  if (doubt && flow) {
    const offer = { ...doubt, ...(proved && { typed: value }) };
    return { ...round, flow, state: addDoubts(dropDoubts(state, 'phone'), [offer]) };
  }
  const phone: ProvableValue = { value, proved: proved && !doubt };
  const profile = state.consent?.given && phone.proved ? { ...state.profile, phone } : state.profile;
  if (flow) return setSlots({ ...round, state: { ...state, profile } }, { phone });
  const kept: State = { ...state, step: { at: 'idle' }, profile, draft: { phone } };
  return digress(
    { ...round, state: kept },
    { key: 'identity.phone', params: { phone: showPhone(phone.value) } },
  );
}

/** If staff name the next customer, only codes stay, unless others come. */
export function serveNext(state: State, commands: readonly Command[], scope: Scope): State {
  if (!isAnother(state, commands, scope)) return state;
  const { phone: _, email: __, codes, ...rest } = state.draft;
  const bringsCodes = commands.some((command) => command.do === 'add');
  return bringsCodes
    ? { ...dropOffer(state), draft: rest }
    : { ...state, draft: { ...rest, ...(codes && { codes }) } };
}

/** Whether commands name another customer. A flow that needs a proof is about one identifier only. */
function isAnother(state: State, commands: readonly Command[], scope: Scope): boolean {
  const { draft } = state;
  const isProved = runningFlow(state, scope)?.identity === 'proved';
  return commands.some((command) => {
    if (command.do !== 'set' || command.slot === 'gift' || command.value === undefined) return false;
    const known = draft[command.slot];
    return known ? known.value !== command.value : isProved && (draft.phone ?? draft.email) != null;
  });
}
