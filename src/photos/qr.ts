import { readFile } from 'node:fs/promises';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';

/** The picture (PNG) of a QR code; undefined if it cannot be drawn. */
export type DrawQr = (text: string) => Promise<Buffer | undefined>;

/** A module is eight dots; a quarter of the code may be dirty or torn. */
const LOOK = { format: 'QRCode', scale: 8, options: 'ecLevel=Q' } as const;
const silent = () => {};

/** Draws QR codes. The writer is loaded with the first one, from its package's file. */
export function createQrWriter(): DrawQr {
  let loading: Promise<unknown> | undefined;
  const load = async () => {
    const { buffer: wasmBinary } = await readFile(
      new URL(import.meta.resolve('zxing-wasm/writer/zxing_writer.wasm')),
    );
    const overrides = { wasmBinary, print: silent, printErr: silent };
    await prepareZXingModule({ overrides, fireImmediately: true });
  };

  return async (text) => {
    try {
      loading ??= load();
      await loading;
      const { image } = await writeBarcode(text, LOOK);
      return image === null ? undefined : Buffer.from(await image.arrayBuffer());
    } catch {
      loading = undefined;
      return undefined;
    }
  };
}
