import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { prepareZXingModule, type ReaderOptions, type ReadResult, readBarcodes } from 'zxing-wasm/reader';

/*
 * ZXing, in a thread of its own (`reader.ts`): says `ready`, then answers each picture's bytes with the texts of its codes, or
 * that it is no picture that can be opened.
 */

if (parentPort === null) throw new Error('this runs in a thread of its own');
const port = parentPort;

/**
 * More than a picture of 40 megapixels with four channels takes. Its own limit is 2 GB, which a file of 10 MB can fill:
 * what a PNG unpacks to, its header does not tell.
 */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const PAGE_BYTES = 64 * 1024;

const OPTIONS: ReaderOptions = {
  formats: ['QRCode', 'DataMatrix', 'Code128', 'Code39', 'EANUPC'],
  // More than a message may carry (10), so that the customer is told of further ones.
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

// An error of the decoder, whose memory may be broken then, ends the thread: the next picture gets a new one.
port.on('message', async (bytes: Uint8Array) => {
  const found = await readBarcodes(bytes, OPTIONS);
  // A file that cannot be opened comes back as a result that is not valid.
  const isRead = found.every(({ isValid }) => isValid);
  port.postMessage(isRead ? { kind: 'texts', texts: textsOf(found) } : { kind: 'unreadable' });
});
port.postMessage({ kind: 'ready' });

/** Where a module may not grow any further, its `malloc` answers that there is no memory, which ZXing handles. */
function capMemory({ exports }: WebAssembly.Instance): void {
  const memory = Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
  if (memory === undefined) throw new Error('the decoder exports no memory');
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > MAX_MEMORY_BYTES)
      throw new RangeError('no more memory');
    return grow(pages);
  };
}

/**
 * Each text once. The number under an EAN code is the article's, the same on every box: beside a code of another kind it is
 * not what the customer took the picture for.
 */
function textsOf(found: readonly ReadResult[]): string[] {
  const others = found.filter(({ symbology }) => symbology !== 'EANUPC');
  return [...new Set((others.length > 0 ? others : found).map(({ text }) => text))];
}

/** What is used of WebAssembly, which TypeScript describes only together with the DOM. */
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
