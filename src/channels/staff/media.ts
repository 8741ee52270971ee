import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { MAX_FILE_BYTES } from '../../engine/messages.ts';
import { problem, problemOf } from '../../http/problem.ts';
import { cleanText, describeRoute, maybe, nameSchema, refusals } from '../../http/staff-routes.ts';
import type { SeenMedia, StaffFile } from '../../operators/tickets.ts';
import { cleanName } from '../platforms.ts';

/*
 * What customers sent, for staff to look at. Customers choose the bytes, so a browser must never take them
 * for a page. The first bytes decide the type, from a short list. Everything else is a download.
 */

/** The route that shows what a customer sent. `params`: the schema of its path. */
export const mediaRouteOf = <Params extends z.ZodType>(params: Params) =>
  describeRoute('showMedia', 'What the customer sent, fetched from the platform now', {
    description: 'JPEG, PNG, WebP, GIF, OGG and MP4 get their own type; anything else is a download.',
    params,
    response: {
      200: {
        description: 'The bytes.',
        content: { 'application/octet-stream': { schema: z.string() } },
      },
      ...refusals,
      410: problemOf('The platform does not have it any more, or does not let the bot fetch it.'),
      413: problemOf('It is larger than 20 MB.'),
    },
  });

const MAX_BASE64 = Math.ceil(MAX_FILE_BYTES / 3) * 4;
/** The largest body of a request: the largest file with its text and name. */
export const MAX_FILE_BODY = MAX_BASE64 + 16 * 1024;
/** Telegram's longest caption has 1,024 characters, and the writer's name comes before the text. */
const MAX_CAPTION = 900;

/** A file that staff send. */
export const fileSchema = z
  .strictObject({
    by: nameSchema.describe('The staff member who sends it.'),
    file: z.base64().min(4).max(MAX_BASE64).describe('At most 5 MB; JPEG and PNG are sent as pictures.'),
    name: maybe(z.string().min(1).max(200), 'The name of the file that the customer sees.'),
    text: maybe(z.string().max(MAX_CAPTION).transform(cleanText), 'The text below it.'),
    id: maybe(z.string().min(1).max(128), 'The same id in the same ticket counts once.'),
  })
  .transform(({ file, name, text = '', ...note }): StaffFile => {
    const content = Buffer.from(file, 'base64');
    const type = typeOf(content);
    const isPicture = type === 'image/jpeg' || type === 'image/png';
    const kind = isPicture ? 'picture' : 'file';
    const { name: cleaned = isPicture ? type.replace('/', '.') : 'file' } = cleanName(name);
    return { ...note, text: text.trim(), content, kind, name: cleaned };
  });

/** The first bytes that tell what a file is. */
const HEAD_BYTES = 12;
/** File types by their first bytes, as hexadecimal digits. */
const MAGIC: readonly (readonly [type: string, magic: RegExp])[] = [
  ['image/jpeg', /^ffd8ff/],
  ['image/png', /^89504e470d0a1a0a/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
  ['audio/ogg', /^4f676753/],
];
/** Other brands are pictures (HEIC, AVIF), or videos that browsers do not play. */
const MP4_BRANDS = /^ftyp(?:iso[m2-9]|mp4[12]|avc1|M4[AV] |MSNV|dash|3gp\d)/;
const DOWNLOAD = 'application/octet-stream';

/** The type of a file by its first bytes. */
function typeOf(head: Buffer): string {
  if (MP4_BRANDS.test(head.toString('latin1', 4, HEAD_BYTES))) return 'video/mp4';
  const digits = head.toString('hex', 0, HEAD_BYTES);
  return MAGIC.find(([, magic]) => magic.test(digits))?.[0] ?? DOWNLOAD;
}

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

const REFUSALS = {
  gone: [410, 'The platform does not have it any more.'],
  large: [413, 'It is larger than 20 MB: only the platform can show it.'],
  unavailable: [503, 'The platform does not answer now.'],
} as const;

function refuse(reply: FastifyReply, why: keyof typeof REFUSALS): FastifyReply {
  const [status, detail] = REFUSALS[why];
  return problem(reply, status, detail);
}

/** Streams what a customer sent. */
export async function sendMedia(reply: FastifyReply, { name, fetched }: SeenMedia): Promise<FastifyReply> {
  if (fetched.kind !== 'fetched') return refuse(reply, fetched.kind);
  const parts = fetched.content[Symbol.asyncIterator]();
  let head: Buffer;
  try {
    head = await readHead(parts);
  } catch {
    return refuse(reply, 'unavailable');
  }
  const type = typeOf(head);
  const shown = type === DOWNLOAD ? 'attachment' : 'inline';
  return reply
    .headers({ ...HEADERS, 'content-disposition': `${shown}${fileName(name)}` })
    .type(type)
    .send(Readable.from(joinParts(head, parts), { objectMode: false }));
}

type Chunks = AsyncIterator<Buffer>;

/** Reads until the type can be decided. A shorter file gives fewer bytes. */
async function readHead(parts: Chunks): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const next = await parts.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

/** The whole content. If its reader leaves, the fetch ends. */
async function* joinParts(head: Buffer, parts: Chunks): AsyncGenerator<Buffer> {
  try {
    yield head;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
  } finally {
    await parts.return?.();
  }
}

/** The name as RFC 8187 writes it: any name in ASCII. */
function fileName(name: string | undefined): string {
  if (name === undefined) return '';
  const encode = (mark: string) => `%${mark.charCodeAt(0).toString(16)}`;
  return `; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, encode)}`;
}
