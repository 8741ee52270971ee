import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { elements } from '../channels/teams/elements.ts';
import { type Customer, createCustomer, type Heard, hearing, type Speech } from './faults-customer.ts';
import type { FaultsWorld } from './faults-world.ts';
import type { Bot, Environment } from './processes.ts';
import { activity, TENANT, type TeamsActivity } from './teams-activities.ts';
import { startTeamsDouble, type TeamsDouble } from './teams-double.ts';

/** Customers on Teams, whose profile proves their e-mail, beside those of a world on Telegram. */
export type TeamsFolk = {
  readonly double: TeamsDouble;
  /** What a bot needs to know to answer them over a connector at `host`. */
  env(host: string): Environment;
  /** A new customer with points to spend, whose connector is there. */
  customer(where: () => Pick<Bot, 'url'> | undefined, host: string): Promise<Customer>;
  stop(): Promise<void>;
};

const APP_ID = '00000000-0000-4000-8000-000000004243';
const buttonSchema = z.object({ data: z.looseObject({ choice: z.string() }) });
const textSchema = z.object({ text: z.string() });

export async function startTeamsFolk({ antcrm }: Pick<FaultsWorld, 'antcrm'>): Promise<TeamsFolk> {
  const customers = new Map<string, Customer>();
  const double = await startTeamsDouble(0, (chat, shown, isEdit) =>
    customers.get(chat)?.arrived(heardIn(shown, isEdit)),
  );
  let made = 0;
  return {
    double,
    env: (host) => ({
      MICROSOFT_APP_ID: APP_ID,
      MICROSOFT_APP_TYPE: 'UserAssignedMSI',
      MICROSOFT_APP_TENANT_ID: TENANT,
      TEAMS_SERVICE_HOSTS: host,
      ...double.endpoints,
      ...double.identity,
    }),
    async customer(where, host) {
      made += 1;
      const id = 7_000_000_000 + made;
      const [phone, email, chat] = [`08${10_000_000 + made}`, `t${id}@example.vn`, `a:chat-${id}`];
      const speech = speechOnTeams(double, { id, chat, email, service: `http://${host}/connector/` });
      const customer = createCustomer({ id, phone, email, who: email, speech, where });
      customers.set(chat, customer);
      await antcrm.fund(email, `TULANH${`${500 + made}`.padStart(9, '0')}`);
      return customer;
    },
    stop: () => double.close(),
  };
}

function speechOnTeams(
  double: TeamsDouble,
  { id, chat, email, service }: { id: number; chat: string; email: string; service: string },
): Speech {
  const from = { id: `29:${id}`, name: 'Garnacho', aadObjectId: randomUUID() };
  double.members.set(from.id, { aadObjectId: from.aadObjectId, email });
  const conversation = { id: chat, conversationType: 'personal', tenantId: TENANT };
  const sends = (more: Readonly<Record<string, unknown>>) => {
    const sent: TeamsActivity = activity('message', {
      ...{ id: `${chat}:${randomUUID()}`, from, conversation, locale: 'en-US', serviceUrl: service },
      ...more,
    });
    return ({ url }: Pick<Bot, 'url'>) => {
      const authorization = `Bearer ${double.mint(APP_ID, {}, service)}`;
      return double.post(sent, { url: `${url}/webhooks/teams`, appId: APP_ID, authorization });
    };
  };
  return {
    writes: (text) => sends({ text }),
    presses(choice) {
      const shown = double
        .shown(chat)
        .findLast((card) => buttonsOf(card).some((one) => one.choice === choice));
      const value = shown && buttonsOf(shown).find((one) => one.choice === choice);
      if (!value) throw new Error(`there is no button for ${choice}`);
      return sends({ value, replyToId: shown.id });
    },
    shares() {
      throw new Error('nobody shares a contact on Teams');
    },
    holds: (fits) =>
      double.holds.hold(
        ({ method, path, body }) =>
          // A page of a list comes in the place of the question before it.
          (method === 'POST' || method === 'PUT') &&
          decodeURIComponent(path).includes(`/${chat}/`) &&
          body.type === 'message' &&
          fits(heardIn(body)),
      ),
  };
}

const buttonsOf = (shown: Readonly<Record<string, unknown>>) =>
  elements(shown, 'Action.Submit').flatMap((one) => buttonSchema.safeParse(one).data?.data ?? []);

/** Of a text what it says, of a card all its lines. */
function heardIn(shown: Readonly<Record<string, unknown>>, isEdit = false): Heard {
  const lines = [shown, ...elements(shown, 'TextRun')].flatMap(
    (one) => textSchema.safeParse(one).data?.text ?? [],
  );
  return hearing(
    lines.join('\n'),
    buttonsOf(shown).map(({ choice }) => choice),
    isEdit,
  );
}
