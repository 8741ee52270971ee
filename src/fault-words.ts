import { z } from 'zod';

/*
 * What people read of a wrong value, if its schema brings no words: in requests of programs, and in the files
 * that operators write. Import it where such faults are shown.
 */
z.config({ localeError: describeFault });

const KINDS = new Map(
  Object.entries({
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    tuple: 'a list',
    object: 'an object { … }',
    record: 'an object { … }',
    null: 'null',
  }),
);

/** How long a text or a list may be, or how large a number. */
const UNITS = new Map(Object.entries({ string: ' characters', array: ' entries' }));

function describeFault(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = KINDS.get(issue.expected) ?? issue.expected;
      return issue.input === undefined ? `Is missing: wants ${wanted}` : `Wants ${wanted}`;
    }
    case 'invalid_value':
      return `Wants ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      if (issue.minimum === 1 && UNITS.has(issue.origin)) return 'Is empty';
      return `Wants at least ${issue.minimum}${UNITS.get(issue.origin) ?? ''}`;
    case 'too_big':
      return `Wants at most ${issue.maximum}${UNITS.get(issue.origin) ?? ''}`;
    case 'unrecognized_keys':
      return `Unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'not_multiple_of':
      return `Wants a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'Wants a URL' : 'Is written in another way than wanted';
    case 'invalid_union':
      return 'Fits nothing that is allowed here';
    case 'invalid_key':
    case 'invalid_element':
      return 'Has a wrong entry';
    case 'custom':
      return 'Is not what is wanted';
    default:
      return issue satisfies never;
  }
}
