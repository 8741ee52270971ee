import { readFile } from 'node:fs/promises';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';
import { waitAtMost } from '../resilience/deadline.ts';
import { systemRuntime } from '../runtime.ts';

/** The picture (PNG) of a QR code; undefined if it cannot be drawn within a second. */
export type DrawQr = (text: string) => Promise<Buffer | undefined>;

/** A module is eight dots; a quarter of the code may be dirty or torn. */
const LOOK = { format: 'QRCode', scale: 8, options: 'ecLevel=Q' } as const;
/** It takes a few ms, the first one fifty. */
const DRAW_MS = 1000;
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

  async function draw(text: string): Promise<Buffer | undefined> {
    loading ??= load();
    await loading;
    const { image } = await writeBarcode(text, LOOK);
    return image === null ? undefined : Buffer.from(await image.arrayBuffer());
  }

  return async (text) => {
    try {
      return await waitAtMost(DRAW_MS, draw(text), { runtime: systemRuntime });
    } catch {
      loading = undefined;
      return undefined;
    }
  };
}
