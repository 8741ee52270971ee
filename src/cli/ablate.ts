import { MECHANISMS } from '../conversation/language/mechanisms.ts';
import { type JudgedCard, judgeOwnGold } from './gold.ts';

/*
 * What each mechanism of reading is worth: it is switched off, and the messages of `test/meaning/` are played
 * again. What changes fewer than three of them leaves.
 */

/** How many messages become right and wrong by each mechanism, the one that is worth most first. */
export function ablate(): readonly string[] {
  const whole = judgeOwnGold();
  const rows = MECHANISMS.map((mechanism) => ({ mechanism, ...compare(whole, judgeOwnGold(mechanism)) }));
  const sorted = rows.toSorted((one, other) => other.changed - one.changed);
  return [
    '| mechanism | messages changed | right by it | wrong by it | harm kept off | harm brought |',
    '|---|---|---|---|---|---|',
    ...sorted.map(
      ({ mechanism, changed, right, wrong, keptOff, brought }) =>
        `| ${mechanism} | ${changed} | ${right} | ${wrong} | ${keptOff} | ${brought} |`,
    ),
  ];
}

function compare(whole: readonly JudgedCard[], without: readonly JudgedCard[]) {
  const pairs = whole.flatMap((card, at) => {
    const other = without[at];
    return other && other.verdict !== card.verdict ? [{ with: card.verdict, without: other.verdict }] : [];
  });
  return {
    changed: pairs.length,
    right: pairs.filter((pair) => pair.with === 'right').length,
    wrong: pairs.filter((pair) => pair.without === 'right').length,
    keptOff: pairs.filter((pair) => pair.without === 'harm').length,
    brought: pairs.filter((pair) => pair.with === 'harm').length,
  };
}
