import { z } from 'zod';

/*
 * The step from what was stored before the first release (commit c39e2bff, which called it version 5) to
 * version 1. The release after 1.0.0-beta.1 may drop it: delete this file, and the compiler names the lines
 * that use it.
 */

/** What was stored before the first release has this number among the versions. */
export const BEFORE_RELEASE = 0;

/** A body that was stored before the first release: `v` was its version. */
export const beforeReleaseSchema = z
  .looseObject({ v: z.literal(5) })
  .transform(({ v: _, ...body }) => ({ ...body, version: BEFORE_RELEASE }));

/**
 * The `schema` of every record. Processes from before the first release take no lease where it is greater
 * than 5: they file messages there, and leave the rest to newer processes.
 */
export const SCHEMA_FOR_OLDER_PROCESSES = 6;
