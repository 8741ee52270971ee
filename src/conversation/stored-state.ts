import { checkDraft, type Flows } from './flow.ts';
import { identitySchema, type ReadState, stateSchema, UnknownFlow } from './state.ts';
import { STATE_UPGRADES, upgrade, VERSION } from './upgrades.ts';

/** Reads stored states by the schemas of these flows. */
export function stateReader(flows: Flows): ReadState {
  return (stored, version = VERSION) => {
    const state = stateSchema.parse(upgrade(stored, version, STATE_UPGRADES));
    const { step } = state;
    if (!('flow' in step)) return { ...state, draft: identitySchema.parse(state.draft) };
    const flow = flows.get(step.flow);
    if (!flow) {
      const { view: _, ...kept } = state;
      throw new UnknownFlow(step.flow, { ...kept, step: { at: 'idle', unfinished: true }, draft: {} });
    }
    const { draft } = state;
    checkDraft(flow, draft);
    switch (step.at) {
      case 'asking':
        if (!Object.hasOwn(flow.schema.shape, step.slot))
          throw new Error(`no slot of ${flow.name} is asked for`);
        return { ...state, draft };
      case 'confirming':
        if (!flow.confirmation) throw new Error(`${flow.name} confirms nothing`);
        return { ...state, draft };
      case 'browsing': {
        if (!flow.page) throw new Error(`${flow.name} has no pages`);
        return { ...state, draft, step: { ...step, page: flow.page.schema.parse(step.page) } };
      }
    }
  };
}
