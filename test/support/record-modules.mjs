/** Loaded before a program (`--import`): appends every file of a package that is loaded to the file that `RECORD` names. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    const at = url.indexOf('/node_modules/');
    if (at >= 0 && process.env.RECORD) appendFileSync(process.env.RECORD, `${url.slice(at + 1)}\n`);
    return next(url, context);
  },
});
