/*
 * The mechanisms of reading a text. `npm run answers -- ablate` switches each off in turn and tells what
 * becomes right and wrong: what changes fewer than three messages leaves.
 */

export const MECHANISMS = [
  'clauses',
  'denial marks',
  'fillers',
  'polite lines',
  'spellings',
  'windows',
  'presumed answers',
  'questions beside',
  'signs of values',
  'last digits',
] as const;
export type Mechanism = (typeof MECHANISMS)[number];

export const isOff = (off: Mechanism | undefined, mechanism: Mechanism): boolean => off === mechanism;
