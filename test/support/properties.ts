import fc from 'fast-check';

/**
 * Property tests try the same cases in every run, so that a change is what turns one red. `FAULTS=long` tries
 * others; a failure prints their seed.
 */
if (process.env.FAULTS !== 'long') fc.configureGlobal({ seed: 20_261_126 });

export { fc };

/** One of these texts: `a | b`. */
export const either = (texts: string) => fc.constantFrom(...texts.split(' | '));
