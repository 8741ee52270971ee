import { describe, expect, it } from 'vitest';
import { choice, inside, PHONE, replied, type, useConsole } from './kit.ts';

const { open } = useConsole();

describe('look inside', () => {
  it('shows what was understood, the state before and after, calls, round trips and time', async () => {
    const page = await open();
    await type(page, 'tich diem TIVI000000041 0912345678');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    const turns = page.locator('#turns > details');
    // The reply may be shown as an event before the answer that brings the look inside.
    await expect.poll(() => turns.nth(0).textContent()).toMatch(/POST\/accumulate200 applied[\d,]+ ms/);
    const confirmed = await turns.nth(0).textContent();
    expect(confirmed).toMatch(/chờ xác nhận · Tích điểmchờ khách/);
    expect(confirmed).toMatch(/4 lần truy cập khotake › intend › unlock › commit/);
    await turns.nth(2).locator('summary').first().click();
    const typed = await turns.nth(2).textContent();
    expect(typed).toMatch(/commandsstart accumulate · add \["TIVI000000041"\]/);
    expect(typed).toMatch(/\+84912345678 đã xác minh/);
    await turns.nth(0).getByText('/accumulate').click();
    await turns.nth(0).getByText('"value": "0912345678"').waitFor();
  });

  it('writes what is there already in the language that is chosen', async () => {
    const page = await open();
    await type(page, 'tich diem TIVI000000041 TIVI000000042');
    await inside(page).getByText('đang hỏi · Tích điểm').waitFor();
    await page.locator('input[name="locale"][value="en"]').check({ force: true });
    await inside(page).getByText('asking · Earn points').waitFor();
    expect(await inside(page).locator('.time').first().textContent()).not.toContain(',');
    expect(await inside(page).locator('td div', { hasText: /^TIVI/ }).allTextContents()).toEqual([
      'TIVI000000041',
      'TIVI000000042',
    ]);
  });
});

describe('look inside, on a phone', () => {
  it('says which role is played in every panel', async () => {
    const page = await open({ viewport: PHONE });
    await type(page, 'menu');
    await replied(page, 'menu');
    const headerPx = await page.getByRole('banner').evaluate((it) => it.getBoundingClientRect().height);
    expect(headerPx, 'two rows').toBeLessThan(110);
    for (const tab of ['Bên trong', 'Thử', 'Trò chuyện']) {
      await page.getByRole('tab', { name: tab }).click();
      expect(await page.getByRole('radio', { name: 'Nhân viên' }).isChecked()).toBe(true);
      await page.getByText('Nhân viên', { exact: true }).waitFor();
    }
  });
});

describe('look inside, in English and on a phone', () => {
  const english = async () => {
    const page = await open({ viewport: PHONE, timezoneId: 'Asia/Ho_Chi_Minh' });
    await page.locator('input[name="locale"][value="en"]').check({ force: true });
    return page;
  };

  it('writes dates as English does', async () => {
    const page = await english();
    await type(page, 'history 1/7/2023 - 31/7/2023');
    await inside(page)
      .getByText(/Jul 1, 2023 – /)
      .waitFor({ state: 'attached' });
  });

  it('breaks no word of the tabs, the state and the calls', async () => {
    const page = await english();
    await type(page, 'earn TIVI000000042 0912345679');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    await page.getByRole('tab', { name: 'Look inside' }).click();
    await inside(page).getByRole('rowheader', { name: 'Operation' }).waitFor();
    const broken = await page.evaluate(`(() => {
      const range = document.createRange();
      const lines = (element) => (range.selectNodeContents(element), range.getClientRects().length);
      const words = document.querySelectorAll('.tabs button, #turns > :first-child :is(tbody th, .line > *)');
      const values = [...document.querySelectorAll('td div')].map((value) => value.firstChild);
      const whole = [...words, ...values.filter((value) => !value.data.includes(' '))];
      return whole.filter((word) => lines(word) > 1).map((word) => word.textContent);
    })()`);
    expect(broken).toEqual([]);
  });
});
