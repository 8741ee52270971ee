import type { Activity } from 'botbuilder';
import { z } from 'zod';
import { MAX_PHOTO_BYTES, type Picture } from '../../conversation/photo.ts';
import type { FetchedPhoto } from '../../engine/outlet.ts';
import type { Connector } from './connector.ts';

/**
 * A file in SharePoint or OneDrive: its link is open to everybody who has it, and its host is not one of the connector's.
 */
const FILE = 'application/vnd.microsoft.teams.file.download.info';

/** What was pasted into a message, or sent with it. */
export function picturesOf({ attachments = [] }: Activity): Picture[] {
  return attachments.flatMap(({ contentType, contentUrl }): Picture | [] => {
    if (contentType === FILE) return { kind: 'elsewhere' };
    if (!contentType.startsWith('image/')) return [];
    return contentUrl ? { kind: 'remote', at: { url: contentUrl } } : { kind: 'unavailable' };
  });
}

const placeSchema = z.object({ url: z.string() });

/** For fetching a picture, ms. */
const FETCH_MS = 5_000;

/** `Outlet.fetchPhoto`. The address is the writer's: the connector fetches from its own hosts alone. */
export function createPhotoFetch(connector: Pick<Connector, 'file'>, fetchMs = FETCH_MS) {
  return async (_: unknown, at: unknown): Promise<FetchedPhoto> => {
    const place = placeSchema.safeParse(at).data;
    if (!place) return { kind: 'refused' };
    return connector.file(place.url, { maxBytes: MAX_PHOTO_BYTES, timeoutMs: fetchMs });
  };
}
