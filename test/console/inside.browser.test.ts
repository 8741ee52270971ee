import { describe, expect, it } from 'vitest';
import { choice, inside, language, PHONE, replied, type, useConsole, view } from './kit.ts';

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

describe('look inside, in English and on a phone', () => {
  const english = async () => {
    const page = await open({ viewport: PHONE, timezoneId: 'Asia/Ho_Chi_Minh' });
    await language(page, 'en');
    return page;
  };

  it('breaks no word of the tabs, the state and the calls', async () => {
    const page = await english();
    await type(page, 'earn TIVI000000042 0912345679');
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    await view(page, 'Look inside');
    await inside(page).getByText('operations.0').waitFor();
    const broken = await page.evaluate(`(() => {
      const range = document.createRange();
      const lines = (element) => (range.selectNodeContents(element), range.getClientRects().length);
      const words = document.querySelectorAll('nav a, #turns > :first-child :is(dt, .call code, .call b)');
      const values = [...document.querySelectorAll('#turns > :first-child :is(dd, del, ins)')].map((value) => value.firstChild);
      const whole = [...words, ...values.filter((value) => value?.data && !value.data.includes(' '))];
      return whole.filter((word) => lines(word) > 1).map((word) => word.textContent);
    })()`);
    expect(broken).toEqual([]);
  });
});
