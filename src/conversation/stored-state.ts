import { z } from 'zod';
import { confirmsIn, type Flows } from './flow.ts';
import { type ReadState, stateSchema, UnknownFlow } from './state.ts';
import { STATE_UPGRADES, upgrade, VERSION } from './upgrades.ts';

const inFlowSchema = z.looseObject({
  step: z.looseObject({ at: z.string(), flow: z.string().optional() }),
  view: z.unknown().optional(),
});

/** Reads stored states, as these flows know them. */
export function stateReader(flows: Flows): ReadState {
  return (stored, version = VERSION) => {
    const upgraded = inFlowSchema.parse(upgrade(stored, version, STATE_UPGRADES));
    const { flow: name, at } = upgraded.step;
    const flow = flows.get(name);
    if (name !== undefined && !flow) {
      // Its slots may be of kinds that nobody here knows.
      const { view: _, ...kept } = upgraded;
      const ended = { ...kept, step: { at: 'idle', unfinished: true }, draft: {} };
      throw new UnknownFlow(name, stateSchema.parse(ended));
    }
    if (at === 'confirming' && flow && !confirmsIn(flow)) throw new Error(`${flow.name} confirms nothing`);
    return stateSchema.parse(upgraded);
  };
}
