/**
 * The version of everything that this code seals and stores: state, message, reply, intent, dead letter. A changed shape
 * raises it, with an upgrade of what changed and frozen files of the version before (CONTRIBUTING.md, "What is stored").
 * The store keeps it beside the bodies, so that older processes leave alone what they cannot read.
 */
export const VERSION = 1;

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

export const STATE_UPGRADES: Upgrades = {};
