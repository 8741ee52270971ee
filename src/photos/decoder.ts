import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { prepareZXingModule, type ReaderOptions, type ReadResult, readBarcodes } from 'zxing-wasm/reader';

/* ZXing in a thread. It posts `ready`, then the texts of the picture's codes; null for no picture. */

// 512 MB in pages of 64 KB. A PNG of 10 MB could fill the decoder's own limit, 2 GB.
setFlagsFromString('--wasm-max-mem-pages=8192');

const OPTIONS: ReaderOptions = {
  formats: ['QRCode', 'DataMatrix', 'Code128', 'Code39', 'EANUPC'],
  // More than a message may have (10), so that the bot can say that there are further ones.
  maxNumberOfSymbols: 16,
  textMode: 'Plain',
};

const { buffer: wasmBinary } = await readFile(
  // From its package's file: the package itself would download it.
  new URL(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')),
);
const silent = () => {};
await prepareZXingModule({
  overrides: { wasmBinary, print: silent, printErr: silent },
  fireImmediately: true,
});
parentPort?.postMessage('ready');
const codes = await readBarcodes(workerData, OPTIONS);
// A file that cannot be opened comes back as a result that is not valid.
parentPort?.postMessage(codes.every(({ isValid }) => isValid) ? textsOf(codes) : null);

/** Each text once. An EAN is the same on every box: it counts only without another kind of code. */
function textsOf(codes: readonly ReadResult[]): string[] {
  const others = codes.filter(({ symbology }) => symbology !== 'EANUPC');
  return [...new Set((others.length > 0 ? others : codes).map(({ text }) => text))];
}
