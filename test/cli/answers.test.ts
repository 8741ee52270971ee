import { expect, it } from 'vitest';
import { tryTexts } from '../../src/cli/answers.ts';

it('npm run answers shows what a text is taken for, and whether that has an answer', () => {
  const [hours, expiry, gift] = tryTexts(['mấy giờ mở cửa', 'điểm hết hạn khi nào', 'đổi quà']);
  expect(hours).toContain('→ ask answer hours (');
  expect(expiry).toContain('→ ask answer points.expiry, which has no answer (');
  expect(gift).toBe('đổi quà → start redeem');
});
