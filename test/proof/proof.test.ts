import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { CodeMessage, ProofGateway } from '../../src/proof/gateway.ts';
import { OneTimeCodes } from '../../src/proof/proof.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { words } from '../channels/harness.ts';
import { recordingObserve } from '../support/observe.ts';

const PHONE = '+84867123456';
const SEND = { kind: 'sendCode', phone: PHONE, purpose: 'redeem', locale: 'vi' } as const;
const ABOUT = { conversation: 'c', message: 'm1' };

/** Two processes on one store, with one gateway. */
function world() {
  const sent: CodeMessage[] = [];
  const gateway: ProofGateway = {
    async send(message) {
      sent.push(message);
      return 'sent';
    },
    async close() {},
  };
  const store = createMemoryStore(systemRuntime);
  const encryption = createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });
  const { observe, observed } = recordingObserve();
  const parts = { store, encryption, words, observe, runtime: systemRuntime };
  const open = (other: ProofGateway = gateway) => new OneTimeCodes({ ...parts, gateway: other });
  const tryCode = (code: string, purpose = 'redeem') =>
    ({ kind: 'tryCode', phone: PHONE, purpose, code }) as const;
  return { sent, observed, open, tryCode };
}

it('a process that dies while it sends leaves a code that counts, and the next one sends no other', async () => {
  const { sent, open, tryCode } = world();
  let code = '';
  const dying = open({
    send: (message) => {
      code = message.code;
      return new Promise(() => {});
    },
    async close() {},
  });
  void dying.proveByCode(SEND, ABOUT);
  await expect.poll(() => code).not.toBe('');
  const next = open();
  expect(await next.proveByCode(SEND, ABOUT)).toEqual({ kind: 'codeSent', result: 'unknown' });
  expect(sent).toEqual([]);
  const tried = await next.proveByCode(tryCode(code), { conversation: 'c', message: 'm2' });
  expect(tried).toMatchObject({ result: 'right' });
});

it('a code counts for its purpose and its phone', async () => {
  const { sent, open, tryCode } = world();
  const { proveByCode } = open();
  await proveByCode(SEND, ABOUT);
  const { code = '' } = sent[0] ?? {};
  const about = (message: string) => ({ conversation: 'c', message });
  expect(await proveByCode(tryCode(code, 'points'), about('m2'))).toMatchObject({ result: 'wrong', left: 2 });
  const other = { ...tryCode(code), phone: '+84912345678' };
  expect(await proveByCode(other, about('m3'))).toMatchObject({ result: 'expired' });
  expect(await proveByCode(tryCode(code), about('m4'))).toMatchObject({ result: 'right' });
});

it('a gateway that hangs holds up eight turns of a process, no more', async () => {
  const { open } = world();
  const { proveByCode } = open({ send: () => new Promise(() => {}), async close() {} });
  const results: string[] = [];
  for (let phone = 0; phone < 12; phone++) {
    const about = { conversation: `c${phone}`, message: 'm' };
    void proveByCode({ ...SEND, phone: `+8491234567${phone}`.slice(0, 12) }, about).then(({ result }) =>
      results.push(result),
    );
  }
  await expect.poll(() => results.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2);
  expect(new Set(results).isSubsetOf(new Set(['unavailable', 'limited']))).toBe(true);
});

it.each([
  ['unavailable', 1],
  ['unknown', 1],
  ['refused', 0],
  ['sent', 0],
] as const)(
  'a gateway whose answer is %s raises %i alarms, without anything of the customer',
  async (result, count) => {
    const { open, observed } = world();
    const { proveByCode } = open({ send: async () => result, async close() {} });
    await proveByCode(SEND, ABOUT);
    await proveByCode({ ...SEND, phone: '+84912345678' }, { conversation: 'd', message: 'm2' });
    const alarms = observed.filter((line) => line.includes('codes_failing'));
    expect(alarms).toHaveLength(count);
    expect(alarms.join()).not.toMatch(/867123456|912345678/);
  },
);

it('a conversation whose number the gateway refuses again and again does not ask it without end', async () => {
  const { open, sent } = world();
  let asked = 0;
  const send = async () => {
    asked++;
    return 'refused' as const;
  };
  const { proveByCode } = open({ send, async close() {} });
  const results = [];
  for (let at = 0; at < 20; at++)
    results.push((await proveByCode(SEND, { conversation: 'c', message: `m${at}` })).result);
  expect(asked).toBe(5);
  expect(results.at(-1)).toBe('limited');
  // Nobody else is limited by that.
  await open().proveByCode(SEND, { conversation: 'd', message: 'm' });
  expect(sent).toHaveLength(1);
});

it('codes are spread over all possible ones', async () => {
  const { sent, open } = world();
  const { proveByCode } = open();
  for (let at = 0; at < 40; at++)
    await proveByCode({ ...SEND, phone: `+849123${10_000 + at}` }, { conversation: `c${at}`, message: 'm' });
  expect(sent).toHaveLength(40);
  expect(new Set(sent.map(({ code }) => code)).size).toBeGreaterThan(37);
  expect(new Set(sent.map(({ code }) => code[0])).size).toBeGreaterThan(5);
});
