import type { Gift } from '../conversation/context.ts';

/* What the sandbox sells and gives away (README, "Talk to it"). */

/** A product or a gift, as AntCRM has it. */
export type Item = Readonly<Record<'code' | 'name' | 'id', string> & { score: number }>;

/** Their codes begin with the word before `01`. */
export const PRODUCTS: readonly Item[] = [
  { code: 'TIVI01', name: 'Tivi', score: 100, id: '64d9f28b2b3ba308b322c710' },
  { code: 'TULANH01', name: 'Tủ lạnh', score: 150, id: '64d9f28b2b3ba308b322c711' },
  { code: 'MAYGIAT01', name: 'Máy giặt', score: 120, id: '64d9f28b2b3ba308b322c712' },
];
export const prefixOf = ({ code }: Item): string => code.slice(0, -2);
/** For `CODE_PREFIXES`. */
export const sandboxCodePrefixes: readonly string[] = PRODUCTS.map(prefixOf);

const PICK_UP = {
  vi: 'Cửa hàng 12 Lê Lợi, Quận 1, 8:00–20:00 hằng ngày. Bạn mang theo điện thoại nhé.',
  en: 'The shop at 12 Le Loi, District 1, daily 8:00–20:00. Bring your phone.',
};

/** The gifts as the bot offers them; AntCRM has only their Vietnamese names. */
export const sandboxGifts: readonly Gift[] = [
  { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Media player' }, score: 10, pickUp: PICK_UP },
  { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250, pickUp: PICK_UP },
  { code: 'NOICOM01', name: { vi: 'Nồi cơm', en: 'Rice cooker' }, score: 1_000_000, pickUp: PICK_UP },
];

/** The gifts as AntCRM has them. */
export const GIFTS: readonly Item[] = sandboxGifts.map(({ code, name, score }, index) => {
  return { code, name: name.vi, score, id: `64d9f2ec2b3ba308b322c78${index + 2}` };
});

/** The code of the API's sample. */
export const SAMPLE_CODE = 'TIVInpmx8b98pfg';
const PRINTED = /^(TIVI|TULANH)(000000(?!000)\d{3}|(?<=TIVI)npmx8b98pfg)$/;

/** The product that a code was printed on; null: no such code was ever printed. */
export function readPrintedCode(code: string): Readonly<{ product: Item; serialNumber: string }> | null {
  const [, prefix, serialNumber = ''] = PRINTED.exec(code) ?? [];
  const product = PRODUCTS.find((item) => prefixOf(item) === prefix);
  return product ? { product, serialNumber } : null;
}
