import type { Confirmed } from './checker.ts';
import type { AntCrmServer, Post } from './faults-antcrm.ts';
import type { Customer, Heard } from './faults-customer.ts';
import type { FaultsWorld } from './faults-world.ts';

/** What became of an operation, as the customer was told. */
export type Result = Confirmed['heard'] | 'with staff' | 'expired';

/** An operation that a customer began, and how to find it at AntCRM. */
export type Lived = { readonly kind: Post['kind']; readonly code: string; readonly heard: Result };

/** What a customer does from the first word to the result. */
export type Story = (customer: Customer, world: FaultsWorld) => Promise<Lived>;

const RESULTS: readonly (readonly [RegExp, Result])[] = [
  [/^(accumulate|redeem|operation\.resolved)\.done$/, 'done'],
  [
    /^(accumulate\.refused_code|redeem\.refused|operation\.resolved\.notApplied(_refused)?|service\.unavailable)$/,
    'not applied',
  ],
  [/^operation\.escalated$/, 'with staff'],
];

/** Undefined for a message that tells no result. */
export function resultIn({ key }: Heard): Result | undefined {
  return RESULTS.find(([pattern]) => pattern.test(key ?? ''))?.[1];
}

export const GIFT = 'DAUMAY01';

/** Everything that an accumulation needs, in one message. */
export const earning = (code: string, { phone, email }: Customer): string => `earn ${code} ${phone} ${email}`;

/**
 * A message whose answer repeats `word`, in an e-mail: each takes the place of the last, while codes would be added to a
 * list. Words are lower-case, as e-mails are shown.
 */
export const saying = (word: string, { phone }: Pick<Customer, 'phone'>): string =>
  `earn Q0TALK000 ${phone} ${word}@example.vn`;

/** The data of the confirm button of a summary. */
export function confirmIn({ data }: Heard): string {
  const found = data.find((one) => one.startsWith('confirm:'));
  if (found === undefined) throw new Error('the summary has no confirm button');
  return found;
}

/** A summary that has this code or word in it. */
export const isSummary =
  (code: string) =>
  ({ key, text }: Heard): boolean =>
    (key === 'accumulate.summary' || key === 'flow.switched') && text.includes(code);

/** Presses, and waits for the result, however it comes. */
export async function confirms(customer: Customer, summary: Heard): Promise<Result> {
  const from = customer.heard.length;
  await customer.presses(confirmIn(summary));
  const told = await customer.hears((message) => resultIn(message) !== undefined, from);
  return resultIn(told) ?? 'nothing';
}

export const earns: Story = async (customer, world) => {
  const code = world.code();
  await customer.writes(earning(code, customer));
  const summary = await customer.hears(isSummary(code));
  return { kind: 'accumulate', code, heard: await confirms(customer, summary) };
};

/**
 * Three codes by one confirmation. Resolves to the word that the message's answer repeats, and what became of each code:
 * its line of the result tells, or, where that says that it is being checked, the later message with its reference.
 */
export async function earnsSeveral(
  customer: Customer,
  world: FaultsWorld,
): Promise<{ readonly word: string; readonly lived: readonly Lived[] }> {
  const codes = [world.code(), world.code(), world.code()];
  const word = `w${codes[0]?.toLowerCase()}`;
  await customer.writes(`earn ${codes.join(' ')} ${customer.phone} ${word}@example.vn`);
  const summary = await customer.hears(isSummary(word));
  const from = customer.heard.length;
  await customer.presses(confirmIn(summary));
  const { text } = await customer.hears(({ key }) => SEVERAL.test(key ?? ''), from);
  const lived = codes.map(async (code): Promise<Lived> => {
    const line = text.split('\n').find((one) => one.includes(code)) ?? '';
    return { kind: 'accumulate', code, heard: await heardOf(line, customer, from) };
  });
  return { word, lived: await Promise.all(lived) };
}

const SEVERAL = /^accumulate\.(done_several|partly|refused_several)$/;

async function heardOf(line: string, customer: Customer, from: number): Promise<Result> {
  if (line.startsWith('✓')) return 'done';
  const reference = /\((\w+\.\d)\)$/.exec(line)?.[1];
  if (reference === undefined) return line === '' ? 'nothing' : 'not applied';
  const isResult = (message: Heard) => resultIn(message) !== undefined && message.text.includes(reference);
  return resultIn(await customer.hears(isResult, from)) ?? 'nothing';
}

export const spends: Story = async (customer) => {
  await customer.writes(`/redeem ${GIFT}`);
  await customer.hears(({ key }) => key === 'identity.proofNeeded');
  await customer.shares();
  const summary = await customer.hears(({ key }) => key === 'redeem.summary');
  return { kind: 'redeem', code: GIFT, heard: await confirms(customer, summary) };
};

/** The story where the answer to its one call is lost, so that the operation is looked up. */
export const withoutAnswer =
  (story: Story): Story =>
  async (customer, world) => {
    world.antcrm.troubles.set(customer.phone, { kind: 'lose-answer' });
    return story(customer, world);
  };

/** The operation beside what AntCRM has of it, for the checker. */
export async function withCalls(
  { kind, code, heard }: Lived,
  { phone }: Customer,
  antcrm: AntCrmServer,
): Promise<Confirmed> {
  const posts = antcrm.posts.filter(
    (post) => post.kind === kind && post.phone === phone && post.code === code,
  );
  const successes = await antcrm.successes(kind, phone, kind === 'accumulate' ? code : undefined);
  const calls = Array.from({ length: Math.max(posts.length, successes) }, (_, index) => ({
    status: index < successes ? (1 as const) : (0 as const),
  }));
  return {
    name: `${kind} ${code}`,
    heard: heard === 'with staff' || heard === 'expired' ? 'not applied' : heard,
    calls,
  };
}

/** The messages that came again, each with its place. */
export function repeatsIn(heard: readonly Heard[]): number[] {
  const same = (a: Heard, b: Heard) => a.text === b.text && a.buttons === b.buttons;
  return heard.flatMap((message, at) =>
    heard.slice(0, at).some((other) => same(other, message)) ? [at] : [],
  );
}
