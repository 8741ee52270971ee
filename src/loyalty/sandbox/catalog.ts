import type { Gift } from '../../conversation/context.ts';

/*
 * What the sandbox sells and gives away (README, "Quick start").
 */

export type Product = {
  readonly code: string;
  readonly name: string;
  readonly score: number;
  readonly id: string;
};

const TIVI: Product = { code: 'TIVI01', name: 'Tivi', score: 100, id: '64d9f28b2b3ba308b322c710' };
const TULANH: Product = { code: 'TULANH01', name: 'Tủ lạnh', score: 150, id: '64d9f28b2b3ba308b322c711' };
const MAYGIAT: Product = { code: 'MAYGIAT01', name: 'Máy giặt', score: 120, id: '64d9f28b2b3ba308b322c712' };
export const PRODUCTS = [TIVI, TULANH, MAYGIAT] as const;

/** How the codes on its products begin. */
export const sandboxCodePrefixes = ['TIVI', 'TULANH', 'MAYGIAT'] as const;

const PICK_UP = {
  vi: 'Cửa hàng 12 Lê Lợi, Quận 1, 8:00–20:00 hằng ngày. Bạn mang theo điện thoại nhé.',
  en: 'The shop at 12 Le Loi, District 1, daily 8:00–20:00. Bring your phone.',
};

/** The gifts as the bot offers them; AntCRM itself knows them by their Vietnamese names. */
export const sandboxGifts = [
  {
    code: 'DAUMAY01',
    name: { vi: 'Đầu máy', en: 'Media player' },
    score: 10,
    description: { vi: 'Đầu phát 4K, kèm điều khiển.', en: 'Plays 4K, remote included.' },
    pickUp: PICK_UP,
  },
  {
    code: 'LOA01',
    name: { vi: 'Loa', en: 'Speaker' },
    score: 250,
    description: { vi: 'Loa Bluetooth 20 W, pin 12 giờ.', en: 'Bluetooth, 20 W, plays for 12 hours.' },
    pickUp: PICK_UP,
  },
  {
    code: 'NOICOM01',
    name: { vi: 'Nồi cơm', en: 'Rice cooker' },
    score: 1_000_000,
    description: { vi: 'Nồi cơm điện tử 1,8 lít.', en: 'Holds 1.8 litres.' },
    pickUp: PICK_UP,
  },
] as const satisfies readonly Gift[];

export type SandboxGift = {
  readonly code: string;
  readonly name: string;
  readonly score: number;
  readonly id: string;
};

export const GIFTS: readonly SandboxGift[] = sandboxGifts.map(({ code, name, score }, index) => ({
  code,
  name: name.vi,
  score,
  id: `64d9f2ec2b3ba308b322c78${index + 2}`,
}));

/** A code of the product's: its prefix and the serial number. */
export type PrintedCode = { readonly product: Product; readonly serialNumber: string };

export const SAMPLE_CODE = 'TIVInpmx8b98pfg';
const SERIAL = /^(TIVI|TULANH)(000000\d{3})$/;

/** The product that a code was printed on; null: no such code was ever printed. */
export function readPrintedCode(code: string): PrintedCode | null {
  if (code === SAMPLE_CODE) return { product: TIVI, serialNumber: code.slice('TIVI'.length) };
  const [, prefix, serialNumber] = SERIAL.exec(code) ?? [];
  if (serialNumber === undefined || serialNumber === '000000000') return null;
  return { product: prefix === 'TIVI' ? TIVI : TULANH, serialNumber };
}
