import { faultsOf } from './checker.ts';
import type { AntCrmServer, Passing, Post } from './faults-antcrm.ts';
import type { Customer, Heard } from './faults-customer.ts';
import { confirmIn, earning, GIFT, isSummary, type Lived, resultIn } from './faults-stories.ts';
import type { FaultsWorld } from './faults-world.ts';
import type { Held } from './held.ts';

/**
 * Where a customer's turn stands when a fault begins: AntCRM is being asked for what the call needs (history: for the
 * page); the call has been carried out and its answer is on its way; the answer to the customer is on its way.
 */
export const MOMENTS = ['before intend', 'between intend and answer', 'between commit and delivery'] as const;
export type Moment = (typeof MOMENTS)[number];

export const STORIES = ['accumulate', 'redeem', 'history'] as const;
export type StoryName = (typeof STORIES)[number];

/** A customer whose turn is held at its moment. */
export type Flight = {
  readonly customer: Customer;
  /** The turn goes on. */
  letGo(): void;
  /** Resolves when the customer has been told how it ended, rejects where nobody ever says. */
  readonly landed: Promise<unknown>;
  /** What was wrong with all of it, when everything is over; one line each. */
  faults(): Promise<string[]>;
};

type World = Pick<FaultsWorld, 'antcrm' | 'code'>;

/** Leads a customer to the moment; resolves once they are there. */
export async function takeOff(
  story: StoryName,
  moment: Moment,
  customer: Customer,
  world: World,
): Promise<Flight> {
  const flight = await (story === 'history'
    ? looks(moment, customer, world)
    : confirms(story, moment, customer, world));
  const named = (fault: string) => `${story}, ${moment}: ${fault}`;
  const landed = flight.landed.catch((error: Error) => {
    throw new Error(named(error.message), { cause: error });
  });
  // Where a row fails of something else before, nobody waits for its flights.
  landed.catch(() => {});
  return {
    ...flight,
    landed,
    faults: async () => (await flight.faults()).map(named),
  };
}

async function confirms(
  kind: Post['kind'],
  moment: Moment,
  customer: Customer,
  { antcrm, code: newCode }: World,
): Promise<Flight> {
  const code = kind === 'accumulate' ? newCode() : GIFT;
  const summary = await (kind === 'accumulate' ? asksToEarn(code, customer) : asksToSpend(customer));
  const from = customer.heard.length;
  const held = holdAt(moment, { reads: 'contacts', call: kind }, customer, antcrm, isResult);
  const landed = customer.presses(confirmIn(summary)).then(() => customer.hears(isResult, from));
  await arrived(held, landed);
  return {
    customer,
    letGo: held.letGo,
    landed,
    async faults() {
      const told = new Set(customer.heard.slice(from).flatMap((one) => resultIn(one) ?? []));
      const [heard = 'nothing', ...others] = told;
      const serials = kind === 'accumulate' ? [code] : [];
      const operations = [await callsOf({ kind, code, heard }, customer, antcrm)];
      const newly = customer.heard.filter(({ isEdit }) => !isEdit);
      const faults = faultsOf({ chat: customer.id, serials, told: newly, operations });
      return others.length > 0 ? [...faults, `told ${[...told].join(', then ')}`] : faults;
    },
  };
}

const isResult = (message: Heard): boolean => resultIn(message) !== undefined;

/** What a page of the history, or the lack of one, says first. */
const isPage = ({ key }: Heard): boolean =>
  key === 'history.page_point' || key === 'history.empty_point' || key === 'service.unavailable';

async function looks(moment: Moment, customer: Customer, { antcrm }: World): Promise<Flight> {
  // So that versions which ask for the list and the period answer it, too.
  await customer.writes('earned points history 30 days');
  const first = await customer.hears((one) => one.key === 'identity.proofNeeded' || isPage(one));
  if (first.key === 'identity.proofNeeded') await customer.shares();
  await customer.hears(isPage);
  const from = customer.heard.length;
  const held = holdAt(moment, { reads: 'history-point', call: 'history-point' }, customer, antcrm, isPage);
  const landed = customer.writes('earned points history, all time').then(() => customer.hears(isPage, from));
  await arrived(held, landed);
  return {
    customer,
    letGo: held.letGo,
    landed,
    // Each customer has earned points before.
    faults: async () =>
      customer.heard.some(({ key }) => key === 'history.empty_point') ? ['told an empty history'] : [],
  };
}

/** Where the turn ended before it came to its moment, the test would wait for good. */
async function arrived({ reached }: Held, landed: Promise<unknown>): Promise<void> {
  const early = landed.then(() => {
    throw new Error('the turn ended before it came to its moment');
  });
  await Promise.race([reached, early]);
}

function holdAt(
  moment: Moment,
  routes: { readonly reads: Passing['route']; readonly call: Passing['route'] },
  customer: Customer,
  antcrm: AntCrmServer,
  isAnswer: (message: Heard) => boolean,
): Held {
  const isTheirs = ({ who }: Passing) => who === customer.phone || who === customer.email;
  switch (moment) {
    case 'before intend':
      return antcrm.calls.hold((one) => isTheirs(one) && one.route === routes.reads && one.at === 'asked');
    case 'between intend and answer':
      return antcrm.calls.hold((one) => isTheirs(one) && one.route === routes.call && one.at === 'answered');
    case 'between commit and delivery':
      return customer.holds(isAnswer);
  }
}

async function asksToEarn(code: string, customer: Customer): Promise<Heard> {
  await customer.writes(earning(code, customer));
  return customer.hears(isSummary(code));
}

async function asksToSpend(customer: Customer): Promise<Heard> {
  const from = customer.heard.length;
  await customer.writes(`/redeem ${GIFT}`);
  const { key, ...first } = await customer.hears(({ key }) => WHO_ARE_YOU.includes(key), from);
  if (key === 'identity.unread') return asksToSpend(customer);
  if (key === 'redeem.summary') return { key, ...first };
  await customer.shares();
  return customer.hears(({ key }) => key === 'redeem.summary', from);
}

/** On a busy machine a profile may not be read in time: then the customer asks again. */
const WHO_ARE_YOU: readonly unknown[] = ['identity.proofNeeded', 'identity.unread', 'redeem.summary'];

/** The operation beside what AntCRM has of it. What is with staff was told to be neither. */
async function callsOf({ kind, code, heard }: Lived, { phone, who }: Customer, antcrm: AntCrmServer) {
  const isOurs = (post: Post) =>
    post.kind === kind &&
    post.code === code &&
    (kind === 'accumulate' || [post.phone, post.email].includes(who));
  const calls = antcrm.posts.filter(isOurs).length;
  const successes =
    kind === 'accumulate'
      ? Math.max(await antcrm.successes(kind, who, code), await antcrm.successes(kind, phone, code))
      : await antcrm.successes(kind, who);
  const told = { 'with staff': successes === 1 ? 'done' : 'not applied', expired: 'nothing' } as const;
  return {
    name: `${kind} ${code}`,
    heard: heard === 'with staff' || heard === 'expired' ? told[heard] : heard,
    calls: Array.from({ length: Math.max(calls, successes) }, (_, index) => ({
      status: index < successes ? (1 as const) : (0 as const),
    })),
  };
}
