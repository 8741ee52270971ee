import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { prepareZXingModule, type ReaderOptions, type ReadResult, readBarcodes } from 'zxing-wasm/reader';

/*
 * ZXing in the thread of `reader.ts`: posts `ready`, then answers the bytes of each picture with the texts of
 * its codes, or `unreadable`.
 */

if (parentPort === null) throw new Error('this runs in a thread of its own');
const port = parentPort;

/**
 * Enough for 40 megapixels with four channels. The decoder's own limit is 2 GB, which a PNG of 10 MB can
 * fill: the header does not tell how much it unpacks to.
 */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const PAGE_BYTES = 64 * 1024;

const OPTIONS: ReaderOptions = {
  formats: ['QRCode', 'DataMatrix', 'Code128', 'Code39', 'EANUPC'],
  // More than a message may have (10), so that the bot can say that there are further ones.
  maxNumberOfSymbols: 16,
  textMode: 'Plain',
};

// From its package's file: the package itself would download it.
const file = new URL(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm'));
const module = await WebAssembly.compile(await readFile(file));
const silent = () => {};
await prepareZXingModule({
  overrides: {
    print: silent,
    printErr: silent,
    instantiateWasm(imports: WebAssembly.Imports, onInstance: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(module, imports);
      capMemory(instance);
      onInstance(instance);
      return instance.exports;
    },
  },
  fireImmediately: true,
});

// An error may leave the decoder's memory broken: it ends the thread, and the next picture gets a new one.
port.on('message', async (bytes: Uint8Array) => {
  const codes = await readBarcodes(bytes, OPTIONS);
  // A file that cannot be opened comes back as a result that is not valid.
  const isRead = codes.every(({ isValid }) => isValid);
  port.postMessage(isRead ? { kind: 'texts', texts: textsOf(codes) } : { kind: 'unreadable' });
});
port.postMessage({ kind: 'ready' });

/** ZXing handles a failed `malloc`: it answers that there is no memory. */
function capMemory({ exports }: WebAssembly.Instance): void {
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) throw new Error('the decoder exports no memory');
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    const isFull = memory.buffer.byteLength + pages * PAGE_BYTES > MAX_MEMORY_BYTES;
    if (isFull) throw new RangeError('the decoder has no more memory');
    return grow(pages);
  };
}

/**
 * Each text once. An EAN names the article, the same on every box: if there is a code of another kind, that
 * one was meant.
 */
function textsOf(codes: readonly ReadResult[]): string[] {
  const others = codes.filter(({ symbology }) => symbology !== 'EANUPC');
  return [...new Set((others.length > 0 ? others : codes).map(({ text }) => text))];
}

/** The used part of WebAssembly: TypeScript describes it only together with the DOM. */
declare global {
  namespace WebAssembly {
    class Module {
      private readonly compiled: true;
    }
    class Memory {
      readonly buffer: ArrayBuffer;
      grow(pages: number): number;
    }
    type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    class Instance {
      constructor(module: Module, imports: Imports);
      readonly exports: Readonly<Record<string, unknown>>;
    }
    function compile(bytes: Uint8Array): Promise<Module>;
  }
}
