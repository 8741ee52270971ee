import { describe, expect, it } from 'vitest';
import { choice, replied, type, useConsole } from './kit.ts';

const { open } = useConsole();

describe('look inside', () => {
  it('shows what was understood, the state before and after, calls, round trips and time', async () => {
    const page = await open({ path: '/console#inside' });
    await type(page, 'tich diem TIVI000000041 0912345678');
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    const turns = page.locator('#turns > details');
    // The reply may be shown as an event before the answer that brings the look inside.
    await expect.poll(() => turns.nth(0).textContent()).toMatch(/POST \/accumulate 200 applied[\d,]+ ms/);
    const confirmed = await turns.nth(0).textContent();
    expect(confirmed).toMatch(/step.atconfirming idle/);
    expect(confirmed).toMatch(/Lần truy cập4: take › intend › unlock › commit/);
    await turns.nth(1).locator('summary').first().click();
    const typed = await turns.nth(1).textContent();
    expect(typed).toMatch(/commandsstart accumulate · add \["TIVI000000041"\]/);
    expect(typed).toMatch(/\+84912345678 · proved/);
    await turns.nth(0).getByText('/accumulate').click();
    await turns.nth(0).getByText('"value": "0912345678"').waitFor();
  });
});
