import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/conversation/reply.ts';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { BOT, PERSON, TENANT, textActivity, USER } from '../../support/teams-activities.ts';
import type { Fault } from '../../support/teams-double.ts';
import { choice, literal } from '../harness.ts';
import { CHAT, createBot } from './harness.ts';

describe('a reply', () => {
  it('arrives as plain text from the bot', async () => {
    const { channel, double, outgoing } = await createBot();
    expect(await channel.deliver(outgoing(literal('**x** [a](b)')), 1)).toEqual({ kind: 'delivered' });
    const said = { id: 'a1', type: 'message', text: '**x** [a](b)', textFormat: 'plain' };
    const where = { from: { id: BOT }, recipient: { id: USER }, conversation: { id: CHAT } };
    expect(double.shown(CHAT)).toEqual([{ ...said, ...where }]);
  });

  it('can be delivered by any process, from what was stored', async () => {
    const asked = await createBot();
    await asked.post(textActivity('hi'));
    const other = await createBot({ serviceHosts: [asked.double.host] });
    const { address } = incomingSchema.parse(JSON.parse(JSON.stringify(asked.accepted[0])));
    await other.channel.deliver(other.outgoing({ key: 'k' }, { address }), 1);
    expect(asked.double.shown(CHAT)).toHaveLength(1);
  });

  it('to an address of no known shape, or of a host that is not trusted, is dropped', async () => {
    const { channel, double, outgoing } = await createBot({ auth: 'on' });
    const address = { service: 'https://evil.example/', bot: BOT, user: USER };
    for (const wrong of [null, {}, address]) {
      const delivery = await channel.deliver(outgoing({ key: 'k' }, { address: wrong }), 1);
      expect(delivery).toEqual({ kind: 'rejected' });
    }
    expect(double.granted).toEqual([]);
  });
});

describe('a press', () => {
  const page: Reply = { key: 'history.page', inPlace: true, choices: [choice('next')], view: 'v2' };

  /** A bot that has already asked a question with buttons, on the card `press.activity`. */
  async function createAsked() {
    const { channel, double, outgoing } = await createBot();
    const asked = { key: 'ask', choices: [choice('next'), choice('cancel')], view: 'v1' };
    await channel.deliver(outgoing(asked), 1);
    const deliver = (reply: Reply, activity = 'a1') =>
      channel.deliver(outgoing(reply, { press: { activity } }), 2);
    return { double, deliver };
  }

  it.each<[what: string, reply: Reply, count: number, card: RegExp, activity?: string]>([
    ['is answered below the card', { key: 'done' }, 2, /Action\.Submit.*next~v1/],
    ['that turns a page replaces the card', page, 1, /Action\.Submit.*next~v2/],
    ['on a card that is gone gets the page as a new card', page, 2, /next~v1/, 'gone'],
  ])('%s', async (_what, reply, count, card, activity) => {
    const { deliver, double } = await createAsked();
    expect(await deliver(reply, activity)).toEqual({ kind: 'delivered' });
    const shown = double.shown(CHAT).map((one) => JSON.stringify(one));
    expect([shown.length, shown[0]]).toEqual([count, expect.stringMatching(card)]);
  });
});

it('work is shown as typing, and failures of that are nobody’s concern', async () => {
  const { channel, double, outgoing } = await createBot();
  const { address, conversation } = outgoing({ key: 'k' });
  await channel.working?.({ address, conversation });
  expect(double.calls('POST')[0]?.body).toMatchObject({ type: 'typing' });
  double.script({ status: 500 });
  await channel.working?.({ address, conversation });
  await channel.working?.({ address: null, conversation });
});

describe('identity', () => {
  const email = 'Garnacho@Example.vn';
  const profile = { id: USER, email, aadObjectId: PERSON, tenantId: TENANT, userRole: 'user' };

  /** A bot that may ask for that profile; `proof`: what Teams says of the sender. */
  async function knowing(member: object, trustedTenants = [TENANT.toUpperCase()]) {
    const { channel, double, outgoing } = await createBot({ trustedTenants });
    double.members.set(USER, { ...member });
    const sender = { channel: 'teams', proof: 'profile', name: 'Garnacho' } as const;
    const { address, conversation } = outgoing({ key: 'k' });
    async function proof(at: typeof address | null = address) {
      const { email, unread, ...rest } =
        (await channel.identify?.({ sender, address: at, conversation })) ?? {};
      expect(rest).toEqual(sender);
      return unread ? 'unread' : email;
    }
    return { proof, double };
  }

  it('is the profile’s e-mail, read once', async () => {
    const { proof, double } = await knowing(profile);
    expect([await proof(), await proof()]).toEqual(['garnacho@example.vn', 'garnacho@example.vn']);
    expect([await proof(null), double.calls('GET').length]).toEqual([undefined, 1]);
  });

  it.each([
    ['a guest', { userRole: 'guest' }],
    ['an anonymous person', { userRole: 'anonymous' }],
    ['another directory', { tenantId: 'other' }],
    ['another person', { aadObjectId: 'other' }],
    ['nobody in particular', { email: undefined }],
    ['a person who is not named', { aadObjectId: undefined }],
    ['a directory that is not named', { tenantId: undefined }],
    ['somebody in no known role', { userRole: undefined }],
  ])('is nothing where the profile is of %s', async (_name, more) => {
    const { proof } = await knowing({ ...profile, ...more });
    expect(await proof()).toBeUndefined();
  });

  it.each<[string, Fault, string | undefined]>([
    ['cannot be read now', { status: 502 }, 'unread'],
    ['is refused to the bot', { status: 403 }, 'unread'],
    ['does not exist', { status: 404, code: 'MemberNotFoundInConversation' }, undefined],
  ])(
    'of a profile that %s is told apart from having no e-mail, and asked for again',
    async (_name, fault, seen) => {
      const { proof, double } = await knowing(profile);
      double.script(fault);
      expect([await proof(), await proof()]).toEqual([seen, 'garnacho@example.vn']);
    },
  );

  it('is nothing for a directory that is not trusted, and is not even asked for', async () => {
    const { proof, double } = await knowing(profile, ['other']);
    expect([await proof(), double.calls()]).toEqual([undefined, []]);
  });
});
