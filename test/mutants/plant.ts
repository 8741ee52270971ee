import { registerHooks } from 'node:module';
import { planted } from './planted.ts';

/*
 * Loaded before everything else (`node --import`): the mutant's source file is changed as it is loaded.
 */

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const source = planted(url, String(loaded.source));
    return source === undefined ? loaded : { ...loaded, source };
  },
});
