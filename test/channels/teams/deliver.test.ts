import { describe, expect, it, vi } from 'vitest';
import { TEAMS_HOSTS, trustHosts } from '../../../src/channels/teams/address.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { incomingSchema, MEDIA_BOUNDS } from '../../../src/engine/messages.ts';
import { createPhotoReader } from '../../../src/photos/reader.ts';
import { PATIENT } from '../../support/photos.ts';
import { BOT, PERSON, TENANT, textActivity, USER } from '../../support/teams-activities.ts';
import { choice, literal } from '../harness.ts';
import { CHAT, createBot } from './harness.ts';

it.each<[service: string, isTrusted?: true]>([
  ['https://smba.trafficmanager.net/apac/', true],
  ['https://other.example:8443/', true],
  ['http://127.0.0.1:3979/connector', true],
  ['https://evil.trafficmanager.net/'],
  ['https://smba.trafficmanager.net.evil.example/'],
  ['https://smba.trafficmanager.net@evil.example/'],
  ['https://smba.trafficmanager.net:8443/'],
  ['http://smba.trafficmanager.net/'],
  ['https://localhost/'],
  ['http://localhost:3979/'],
  [''],
])(
  'a connector is trusted only by its exact host, with https or on this machine: %s',
  (service, isTrusted) => {
    const trust = trustHosts([...TEAMS_HOSTS, 'Other.example:8443', '127.0.0.1:3979', 'localhost:80'], false);
    expect(trust(service)?.href).toBe(isTrusted && new URL(service).href);
  },
);

describe('a reply', () => {
  it('arrives as plain text from the bot, sent by any process from what was stored', async () => {
    const asked = await createBot();
    await asked.post(textActivity('hi'));
    const { channel, outgoing } = await createBot({ serviceHosts: [asked.double.host] });
    const { address } = incomingSchema.parse(JSON.parse(JSON.stringify(asked.accepted[0])));
    const delivery = await channel.deliver(outgoing(literal('**x** [a](b)'), { address }), 1);
    expect(delivery).toEqual({ kind: 'delivered' });
    const activity = { id: 'a1', type: 'message', text: '**x** [a](b)', textFormat: 'plain' };
    const where = { from: { id: BOT }, recipient: { id: USER }, conversation: { id: CHAT } };
    expect(asked.double.shown(CHAT)).toEqual([{ ...activity, ...where }]);
  });

  it('is dropped if its address has no known shape or names a host that is not trusted', async () => {
    const { channel, double, outgoing } = await createBot({ auth: 'on' });
    const address = { service: 'https://evil.example/', bot: BOT, user: USER };
    for (const wrong of [null, {}, address]) {
      const delivery = await channel.deliver(outgoing({ key: 'k' }, { address: wrong }), 1);
      expect(delivery).toEqual({ kind: 'rejected' });
    }
    expect(double.granted).toEqual([]);
  });

  it('shows its QR code as a picture within the card', async () => {
    const { channel, double, outgoing } = await createBot();
    const reply: Reply = { key: 'redeem.done', qr: '7KQ2-M8XR-W4TD', lines: [literal('7KQ2-M8XR-W4TD')] };
    expect(await channel.deliver(outgoing(reply), 1)).toEqual({ kind: 'delivered' });
    const card = JSON.stringify(double.shown(CHAT));
    const [, picture = ''] = /"data:image\/png;base64,([^"]+)"/.exec(card) ?? [];
    const read = await createPhotoReader(PATIENT).read(Buffer.from(picture, 'base64'), 'me');
    expect(read).toEqual({ kind: 'read', texts: ['7KQ2-M8XR-W4TD'] });
  });

  it('goes without its picture if Teams refuses the picture', async () => {
    const { channel, double, outgoing } = await createBot({ drawQr: async () => Buffer.alloc(30_000) });
    const reply: Reply = { key: 'redeem.done', qr: '7KQ2-M8XR-W4TD', lines: [literal('7KQ2-M8XR-W4TD')] };
    expect(await channel.deliver(outgoing(reply), 1)).toEqual({ kind: 'delivered' });
    expect(JSON.stringify(double.shown(CHAT))).toContain('7KQ2-M8XR-W4TD');
  });

  const page: Reply = { key: 'history.page', inPlace: true, choices: [choice('next')], view: 'v2' };

  it.each<[what: string, reply: Reply, count: number, card: RegExp, activity?: string]>([
    ['to a press is below the card', { key: 'done' }, 2, /Action\.Submit.*next~v1/],
    ['that is a page replaces the card', page, 1, /Action\.Submit.*next~v2/],
    ['that is a page is new where the card is gone', page, 2, /next~v1/, 'gone'],
  ])('%s', async (_what, reply, count, card, activity = 'a1') => {
    const { channel, double, outgoing } = await createBot();
    const asked = { key: 'ask', choices: [choice('next'), choice('cancel')], view: 'v1' };
    await channel.deliver(outgoing(asked), 1);
    const delivery = await channel.deliver(outgoing(reply, { press: { activity } }), 2);
    expect(delivery).toEqual({ kind: 'delivered' });
    const shown = double.shown(CHAT).map((message) => JSON.stringify(message));
    expect([shown.length, shown[0]]).toEqual([count, expect.stringMatching(card)]);
  });
});

it('during a call the bot shows that it types, and ignores a failure of that', async () => {
  const { channel, double, outgoing } = await createBot();
  const { address, conversation } = outgoing({ key: 'k' });
  double.script({ status: 500 });
  await channel.working?.({ address, conversation });
  await channel.working?.({ address: null, conversation });
  expect(double.calls()).toMatchObject([{ method: 'POST', body: { type: 'typing' } }]);
});

it('a picture is fetched only from a trusted connector, with one call, whatever the connector answers', async () => {
  const { channel, double } = await createBot({ auth: 'on' });
  const place = { conversation: CHAT, address: {} };
  const fetch = async (url: string) => (await channel.fetchMedia?.(place, { url }, MEDIA_BOUNDS))?.kind;
  for (const url of ['https://contoso.sharepoint.com/p.png', 'file:///etc/passwd', 'p1'])
    expect([url, await fetch(url)]).toEqual([url, 'gone']);
  expect(double.granted).toEqual([]);

  const open = await createBot();
  const url = open.double.keep('p1', Buffer.from('a picture'));
  open.double.script({ status: 404 }, { status: 302 }, 'reset');
  const kinds: unknown[] = [];
  for (const _ of [1, 2, 3])
    kinds.push((await open.channel.fetchMedia?.(place, { url }, MEDIA_BOUNDS))?.kind);
  expect(kinds).toEqual(['gone', 'unavailable', 'unavailable']);
  expect(open.double.calls('GET').map(({ path }) => path)).toEqual(Array(3).fill(new URL(url).pathname));
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
      const known = await channel.identify?.({ sender, address: at, conversation });
      expect(known).toMatchObject(sender);
      return known?.unread ? 'unread' : known?.email;
    }
    return { proof, double };
  }

  it('is the profile’s e-mail, read once an hour', async () => {
    const { proof, double } = await knowing(profile);
    expect([await proof(), await proof()]).toEqual(['garnacho@example.vn', 'garnacho@example.vn']);
    expect([await proof(null), double.calls('GET').length]).toEqual([undefined, 1]);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60 * 60_000);
    await expect.poll(async () => [await proof(), double.calls('GET').length].at(-1)).toBe(2);
  });

  it.each([
    ['a guest', { userRole: 'guest' }],
    ['another directory', { tenantId: 'other' }],
    ['another person', { aadObjectId: 'other' }],
    ['nobody in particular', { email: undefined }],
    ['a person who is not named', { aadObjectId: undefined }],
    ['a directory that is not named', { tenantId: undefined }],
    ['somebody in no known role', { userRole: undefined }],
  ])('is absent if the profile is of %s', async (_name, more) => {
    const { proof } = await knowing({ ...profile, ...more });
    expect(await proof()).toBeUndefined();
  });

  it('is unknown, not absent, while the profile cannot be read, and is read again', async () => {
    const { proof, double } = await knowing(profile);
    double.script({ status: 502 }, { status: 403 }, { status: 404 });
    expect([await proof(), await proof(), await proof()]).toEqual(['unread', 'unread', undefined]);
    expect(await proof()).toBe('garnacho@example.vn');
  });

  it('is absent for a directory that is not trusted, and is not read', async () => {
    const { proof, double } = await knowing(profile, ['other']);
    expect([await proof(), double.calls()]).toEqual([undefined, []]);
  });
});
