/** A message that arrived in a chat: its text, and its buttons as they were sent. */
export type Told = { readonly text: string; readonly buttons: string };

/** An operation that a customer confirmed: the last they heard of it, and what AntCRM has of it. */
export type Confirmed = {
  readonly name: string;
  readonly heard: 'done' | 'not applied' | 'nothing';
  /** Every call that AntCRM got, failed ones too. */
  readonly calls: readonly { readonly status: 0 | 1 }[];
};

/** All that can be seen of a conversation from outside. */
export type Conversation = {
  readonly chat: number;
  /** A word that each acknowledged message had and its answer repeats, in the order of the acknowledgements. */
  readonly serials: readonly string[];
  /** All that arrived, in order. */
  readonly told: readonly Told[];
  readonly operations: readonly Confirmed[];
};

/**
 * What a conversation suffered that must not happen whatever crashes, one line each. It knows nothing of how the bot
 * works: a message is applied once if all its answers are the very same (a crash may repeat one; applied again, the
 * buttons would be new), and in order if no answer comes after one to a later message.
 */
export function faultsOf({ chat, serials, told, operations }: Conversation): string[] {
  const faults = [...serials.flatMap((serial) => lostOrDoubled(serial, told)), ...disordered(serials, told)];
  return [...faults, ...operations.flatMap(miscalled)].map((fault) => `${chat}: ${fault}`);
}

function lostOrDoubled(serial: string, told: readonly Told[]): string[] {
  const answers = told.filter(({ text }) => text.includes(serial));
  if (answers.length === 0) return [`${serial} was acknowledged and never answered`];
  const different = new Set(answers.map(({ text, buttons }) => text + buttons));
  return different.size > 1 ? [`${serial} was applied ${different.size} times`] : [];
}

function disordered(serials: readonly string[], told: readonly Told[]): string[] {
  const order = told.map(({ text }) => serials.findIndex((serial) => text.includes(serial)));
  const known = order.filter((index) => index >= 0);
  return known.flatMap((index, at) =>
    index < (known[at - 1] ?? 0)
      ? [`${serials[index]} was answered after ${serials[known[at - 1] ?? 0]}`]
      : [],
  );
}

function miscalled({ name, heard, calls }: Confirmed): string[] {
  const applied = calls.filter(({ status }) => status === 1).length;
  const faults: string[] = [];
  if (calls.length > 1) faults.push(`${name} was called ${calls.length} times`);
  if (heard === 'nothing') faults.push(`${name} was confirmed and no result was told`);
  if (heard === 'done' && applied !== 1) faults.push(`${name} was told as done and applied ${applied} times`);
  if (heard === 'not applied' && applied > 0) faults.push(`${name} was told as not applied and was applied`);
  return faults;
}
