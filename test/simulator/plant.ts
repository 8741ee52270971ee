import { registerHooks } from 'node:module';
import { DEFECTS } from './defects.ts';

/*
 * Loaded before everything else (`node --import`): the source file of the planted defect is changed as it is loaded.
 */

const defect = DEFECTS.find(({ name }) => name === process.env.DEFECT);
if (defect === undefined) throw new Error(`there is no defect ${process.env.DEFECT}`);
const { file, from, to } = defect;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/src/${file}`)) return loaded;
    const source = String(loaded.source);
    if (!source.includes(from)) throw new Error(`the defect does not fit ${file} any more`);
    return { ...loaded, source: source.replace(from, to) };
  },
});
