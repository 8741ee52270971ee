import { findClosestName } from '../../closest-name.ts';
import type { Acts } from './table.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Headings of the language files that are no act. */
const OTHERS = ['words', 'periods', 'address', 'heard'] as const;

/**
 * What is wrong with the headings of the language files: a heading that is no act would teach the bot
 * lines that do nothing. Each fault names the file, the line, the heading and what to do.
 *
 * @example
 * findHeadingFaults(new Vocabulary([{ locale: 'en', text: '## start point\n- my points' }]), acts);
 * // ['locales/en.md:1: "start point" is no act: did you mean "start points"? …']
 */
export function findHeadingFaults({ headings }: Pick<Vocabulary, 'headings'>, acts: Acts): string[] {
  const known = [...acts.keys(), ...OTHERS];
  const unknown = headings.filter(({ name }) => !known.includes(name));
  return unknown.map(({ locale, name, line }) => {
    const closest = findClosestName(name, known);
    const hint = closest === undefined ? '' : `: did you mean "${closest}"?`;
    const advice =
      'Give it a row in src/conversation/language/table.ts, or move its lines to another heading.';
    return `locales/${locale}.md:${line}: "${name}" is no act${hint || '.'} ${advice}`;
  });
}
