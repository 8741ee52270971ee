import { expect, test } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };

test('a refused code is asked for once: in the question, not in the refusal', () => {
  expect(vi['accumulate.refused']).not.toMatch(/gửi/);
  expect(en['accumulate.refused']).not.toMatch(/send/);
});

test('the question for a code says where it stands', () => {
  expect(vi['accumulate.askCode']).toContain('in trên sản phẩm');
  expect(en['accumulate.askCode']).toContain('on the product');
});
