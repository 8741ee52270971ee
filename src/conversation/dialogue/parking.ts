import type { Command } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import { toTypedValue } from '../prompts/identity.ts';
import type { Draft, State } from '../state.ts';
import { findSlips } from './doubts.ts';

/*
 * What a flow gathered is set aside while another flow runs, or while it cannot go on. The flow's button
 * goes on with it.
 */

/** The state with the values of a running flow set aside; the same state if nothing was gathered. */
export function parkFlow(state: State, flow: Flow): State {
  const { balance: _, among: __, price: ___, proof: ____, ...draft } = state.draft;
  const { offer } = state.step.at === 'asking' ? state.step : {};
  const doubts = [...(offer ? [offer] : []), ...(draft.doubts ?? [])];
  return park(state, flow, { ...draft, ...(doubts.length > 0 && { doubts }) });
}

/** The state with the values of a message set aside whose flow cannot begin now. */
export function parkValues(state: State, { flow, commands }: UnbegunFlow, scope: Scope): State {
  const codes = commands.flatMap((command) => (command.do === 'add' ? command.codes : []));
  const draft: Draft = codes.length > 0 ? withCodes({}, codes, scope) : {};
  for (const command of commands) {
    if (command.do !== 'set' || command.value === undefined) continue;
    if (command.slot === 'gift') draft.gift = command.value;
    else if (!command.doubt) draft[command.slot] = toTypedValue(command.value, scope);
  }
  return park(state, flow, draft);
}

/** The state with codes set aside that a text only mentions, for the flow that takes them. */
export function parkCodes(before: State, codes: readonly string[], scope: Scope): State {
  const { codeFlow: flow } = scope.flows;
  if (!flow) return before;
  const { state, draft = {} } = unparkFlow(before, flow);
  return park(state, flow, withCodes(draft, codes, scope));
}

function withCodes(
  { codes = [], doubts = [], ...draft }: Draft,
  added: readonly string[],
  scope: Scope,
): Draft {
  const fresh = added.filter((code) => !codes.includes(code));
  const doubted = [...doubts, ...findSlips(fresh, scope.settings.codePrefixes)];
  return { ...draft, codes: [...codes, ...fresh], ...(doubted.length > 0 && { doubts: doubted }) };
}

type UnbegunFlow = { readonly flow: Flow; readonly commands: readonly Command[] };

/** The newest is the last. A flow has one place. */
function park(state: State, flow: Flow, draft: Draft): State {
  if (!hasGathered(draft, flow)) return state;
  const { parked } = unparkFlow(state, flow).state;
  return { ...state, parked: [...(parked ?? []), { flow: flow.name, draft }] };
}

/** Whether there is more than the customer's identity, which every flow knows. */
function hasGathered({ codes, gift, doubts, list, period, phone }: Draft, { identity }: Flow): boolean {
  const isNamed = identity === 'typed' && phone?.proved === false;
  return (
    isNamed ||
    [codes, gift, doubts, list ?? undefined, period ?? undefined].some((value) => value !== undefined)
  );
}

/** What was set aside of a flow, and the state without it. */
export function unparkFlow(state: State, flow: Flow): { readonly state: State; readonly draft?: Draft } {
  const { parked = [], ...others } = state;
  const found = parked.find((draft) => draft.flow === flow.name);
  if (!found) return { state };
  const left = parked.filter((draft) => draft !== found);
  return { state: left.length > 0 ? { ...others, parked: left } : others, draft: found.draft };
}
