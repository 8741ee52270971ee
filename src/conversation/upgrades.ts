import { z } from 'zod';

/**
 * The version of everything that this code seals and stores: state, message, reply, intent, dead letter. A changed shape
 * raises it, with an upgrade of what changed and frozen files of the version before (CONTRIBUTING.md, "Stored bodies").
 * The store keeps it beside the bodies, so that older processes leave alone what they cannot read.
 *
 * 2: the last version whose bodies do not say theirs.
 * 3: each body carries `v`; an unknown key is a fault; a flow keeps its slots and its page in shapes of its own.
 * 4: an accumulation takes several codes; a remembered number is taken, not offered; photos are read.
 */
export const VERSION = 4;

/** Upgrades by the version that they start from: what version n wrote becomes what version n + 1 writes. None: no change. */
export type Upgrades = Readonly<Record<number, (body: unknown) => unknown>>;

/** A newer process wrote it. */
export class NewerVersion extends Error {
  override readonly name = 'NewerVersion';
}

/** What `version` wrote, as this version writes it. */
export function upgrade(body: unknown, version: number, upgrades: Upgrades): unknown {
  if (version > VERSION) throw new NewerVersion(`stored by version ${version}`);
  let upgraded = body;
  for (let from = version; from < VERSION; from++) upgraded = upgrades[from]?.(upgraded) ?? upgraded;
  return upgraded;
}

export const STATE_UPGRADES: Upgrades = { 2: fromVersion2, 3: fromVersion3 };

/** What version 3 changed of the state, and what it needs to know for that. */
const version2 = z.looseObject({
  step: z.looseObject({ at: z.string(), flow: z.string().optional() }),
  draft: z.record(z.string(), z.unknown()),
  operations: z.array(z.looseObject({ receipt: z.looseObject({}).optional() })),
  unheeded: z.number().optional(),
});

/** A form could leave slots in the draft that its flow has not; nobody looked at them. */
const SLOTS_OF_VERSION_2: Readonly<Record<string, readonly string[]>> = {
  accumulate: ['code', 'phone', 'email'],
  redeem: ['code', 'phone', 'email'],
  history: ['phone', 'email', 'type', 'period'],
};
const IDENTITY = ['phone', 'email'];

function fromVersion2(state: unknown): unknown {
  const { step, draft, operations, unheeded, ...rest } = version2.parse(state);
  const flow = step.at === 'browsing' ? 'history' : step.flow;
  const slots = SLOTS_OF_VERSION_2[flow ?? ''] ?? IDENTITY;
  return {
    ...rest,
    step: step.at === 'browsing' ? withPage(step) : step,
    draft: Object.fromEntries(Object.entries(draft).filter(([slot]) => slots.includes(slot))),
    operations: operations.map(withoutRecord),
    ...(unheeded !== undefined && { consentUnanswered: unheeded }),
  };
}

function withPage({ at, ...page }: { readonly at: string }): unknown {
  return { at, flow: 'history', page };
}

/** Version 1 kept the record's id in receipts. */
function withoutRecord<Operation extends { readonly receipt?: object | undefined }>(
  operation: Operation,
): unknown {
  if (operation.receipt === undefined) return operation;
  const { record: _, ...receipt } = { record: undefined, ...operation.receipt };
  return { ...operation, receipt };
}

/** What version 4 changed of the state, and what it needs to know for that. */
const version3 = z.looseObject({
  step: z.looseObject({
    at: z.string(),
    flow: z.string().optional(),
    slot: z.string().optional(),
    offer: z.looseObject({ why: z.string() }).optional(),
  }),
  draft: z.record(z.string(), z.unknown()),
});

function fromVersion3(state: unknown): unknown {
  const { step, draft, ...rest } = version3.parse(state);
  const { offer, ...plain } = step;
  const asked = offer && offer.why !== 'known' ? step : plain;
  if (step.flow !== 'accumulate') return { ...rest, step: asked, draft };
  const { code, ...others } = draft;
  return {
    ...rest,
    step: asked.slot === 'code' ? { ...asked, slot: 'codes' } : asked,
    draft: code === undefined ? draft : { ...others, codes: [code] },
  };
}
