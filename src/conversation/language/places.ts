/** Places of a list as they are written for `listing.ts`: `#1 #2` are the first two, `#-1 #-2` the last two. */
export const placesFrom = (end: 1 | -1, many: number): string =>
  Array.from({ length: Math.min(many, 9) }, (_, at) => `#${end * (at + 1)}`).join(' ');
