import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { asPng, drawCode } from '../support/pictures.ts';
import { button, choice, inside, replied, role, type, useConsole, view } from './kit.ts';

const { open } = useConsole();

describe('play', () => {
  // Beside the chat.
  const play = (page: Page) => view(page, 'Chat');

  it('pretends to be Telegram: a typed phone and somebody else’s contact prove nothing, the own one does', async () => {
    const page = await open();
    await role(page, 'Telegram');
    await play(page);
    await type(page, 'xem điểm');
    await replied(page, 'identity.proofNeeded');
    await button(page, 'Gửi số người khác').click();
    await replied(page, 'identity.notOwn');
    await page.locator('#own').click();
    await replied(page, 'points.balance');
  });

  it('pretends to be Teams, with an e-mail in the profile and without', async () => {
    const page = await open();
    await role(page, 'Teams');
    await play(page);
    await page.getByLabel('Email trong hồ sơ').fill('');
    await type(page, 'xem điểm');
    await replied(page, 'identity.noEmail');
    await page.getByLabel('Email trong hồ sơ').fill('garnacho@gmail.com');
    await type(page, 'xem điểm');
    await replied(page, 'points.balance');
  });

  it('sends a photo: its code is taken, the picture is seen inside, and no picture is said to be none', async () => {
    const page = await open();
    await play(page);
    const send = (buffer: Buffer) =>
      page.locator('#image').setInputFiles({ name: 'hop.png', mimeType: 'image/png', buffer });
    await send(asPng(await drawCode('TIVI000000064')));
    await replied(page, 'accumulate.askPhone');
    await view(page, 'Bên trong');
    await inside(page).locator('summary').getByText('TIVI000000064').waitFor();
    await play(page);
    await send(Buffer.from('no picture'));
    await replied(page, 'photo.unreadable');
  });

  it('shows codes and balances of the sandbox, and resets it', async () => {
    const page = await open();
    await play(page);
    await page.getByText('2.080 điểm').waitFor();
    await button(page, 'TIVInpmx8b98pfg').click();
    await expect.poll(() => page.locator('#text').inputValue()).toBe('TIVInpmx8b98pfg');
    await type(page, 'TIVInpmx8b98pfg 0867123456 garnacho@gmail.com');
    await choice(page, 'confirm').click();
    await page.getByText('2.180 điểm').waitFor();
    await button(page, 'Làm lại từ đầu').click();
    await page.getByText('2.080 điểm').waitFor();
  });
});

it('a look inside shows what was understood, the state before and after, calls, round trips and time', async () => {
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
