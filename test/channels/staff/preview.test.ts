import { expect, it, vi } from 'vitest';
import type { Preview } from '../../../src/channels/channel.ts';
import { startKit } from './kit.ts';

const wire = (): Preview => ({
  incoming: vi.fn(() => undefined),
  outgoing: vi.fn(async () => [{ call: 'say', body: { text: 'menu' } }]),
});

it('without a look into the turn, no preview is made', async () => {
  const preview = vi.fn(async () => wire());
  const { client } = await startKit({ preview });
  await client.send({ conversation: 'qa', text: 'menu', as: 'teams' });
  expect(preview).not.toHaveBeenCalled();
});

it('a reply that nobody asked for is shown, too, as the channel that was imitated last would send it', async () => {
  const made = wire();
  const preview = vi.fn(async () => made);
  const { client, accepted, channel } = await startKit({ preview });
  await client.send({ conversation: 'qa', text: 'menu', as: 'teams', trace: true });
  const [{ address } = { address: null }] = accepted;
  const reply = { key: 'operation.resolved.done' };
  const unasked = { reply, state: {}, first: true, last: true, locale: 'vi', atMs: 0 } as const;
  await channel.deliver({ ...unasked, channel: 'staff', conversation: 'qa', address }, 9);
  expect(preview).toHaveBeenLastCalledWith('teams');
  expect(made.outgoing).toHaveBeenLastCalledWith({ ...unasked, pressed: undefined });
  const { value } = await client.events('qa', 8, AbortSignal.timeout(30_000)).next();
  expect(value).toMatchObject({ seq: 9, calls: [{ call: 'say' }] });
});

it('of a press the preview hears which question it was of', async () => {
  const { client, accepted } = await startKit();
  await client.send({ conversation: 'qa', choice: 'next~v3k', as: 'teams', trace: true });
  await client.send({ conversation: 'qa', choice: 'next', as: 'teams', trace: true });
  expect(accepted.map(({ press }) => press)).toEqual([{ view: 'v3k' }, {}]);
});

it('a preview that fails holds up no reply', async () => {
  const preview = () => Promise.reject(new Error('a bug'));
  const { client, channel } = await startKit({ preview });
  const reply = { key: 'menu' };
  const outgoing = { reply, state: {}, first: true, last: true, locale: 'vi', atMs: 0 } as const;
  const address = { imitates: 'teams' };
  expect(await channel.deliver({ ...outgoing, channel: 'staff', conversation: 'qa', address }, 1)).toEqual({
    kind: 'delivered',
  });
  const { value } = await client.events('qa', 0, AbortSignal.timeout(30_000)).next();
  expect(value).not.toHaveProperty('calls');
});
