import { z } from 'zod';
import { type Decision, say } from '../decision.ts';
import { type HistoryRead, historyTypeSchema, identifierSchema } from '../effect.ts';
import type { Scope } from '../flow.ts';
import { periodSchema } from '../language/values/period.ts';
import { PERIODS } from '../language/values/time-words.ts';
import type { Choice, Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { isPeriod, periodLine } from './periods.ts';
import { named, withMenu } from './questions.ts';
import { pageLines } from './records.ts';

/** Records shown at a time; divides AntCRM's page of 20, which is read again only when one of its records is shown. */
export const PAGE = 5;

/** As `skip`: the last page, wherever that begins. */
export const LAST = -PAGE;

/** A page of the history, starting at record `skip`. */
export const pageSchema = z.strictObject({
  type: historyTypeSchema,
  by: identifierSchema,
  period: periodSchema,
  skip: z.number(),
  /** The page that is shown until this one is read: where this one is beyond the end, it stays. */
  back: z.number().optional(),
});
export type Page = z.infer<typeof pageSchema>;

export const TYPES = historyTypeSchema.options;
export const PERIOD_CHOICES = PERIODS.map((name) => named(`period:${name}`));

/** The records of a page, with what all of the period add up to on the first one; or that there are none. */
export function pageOf(
  state: ConversationState,
  page: Page,
  { records, more, sum }: HistoryRead,
  scope: Scope,
): Reply {
  const period = periodLine(page.period, scope.settings.timeZone);
  if (records.length === 0) {
    const others = period.context === 'all' ? [] : [{ key: 'history.other' }];
    const empty: Reply = { key: 'history.empty', context: page.type, params: { period }, lines: others };
    return withPaging(state, empty, page, false, scope);
  }
  const summed = page.skip === 0 ? sum : undefined;
  const reply: Reply = {
    key: 'history.page',
    context: page.type,
    params: { page: page.skip / PAGE + 1, period },
    lines: pageLines(page.type, { records, sum: summed }, state, scope),
    inPlace: true,
  };
  return withPaging(state, reply, page, more, scope);
}

/** That a page is beyond the end: how many there are, as far as that is known. `page`: the one that stays. */
export function endOf(state: ConversationState, page: Page, sum: HistoryRead['sum'], scope: Scope): Reply {
  const context = sum && (sum.partial ? 'many' : 'pages');
  const end: Reply = {
    key: 'history.end',
    ...(context && { context, params: { pages: Math.ceil(sum.count / PAGE) } }),
  };
  return withPaging(state, end, page, false, scope);
}

/** A page could not be read: it can be asked for again. */
export function unread(state: ConversationState, scope: Scope): Decision {
  const next = { ...state, view: scope.ids.view };
  const retry = { id: 'retry', label: { key: 'choice.retry' } };
  return say(next, { key: 'service.unavailable', choices: [retry], view: next.view });
}

/** The pages beside this one, the other list, other periods; the last page leads on to something else, too. */
function withPaging(
  state: ConversationState,
  reply: Reply,
  { type, period, skip }: Page,
  more: boolean,
  scope: Scope,
): Reply {
  const choices: Choice[] = [
    ...(skip > 0 ? [{ id: 'previous', label: { key: 'choice.previous' } }] : []),
    ...(more ? [{ id: 'next', label: { key: 'choice.next' } }] : []),
    ...TYPES.filter((one) => one !== type).map((one) => named(`history:${one}`)),
    ...PERIODS.filter((one) => !isPeriod(one, period, scope)).map((one) => named(`period:${one}`)),
  ];
  return more ? { ...reply, choices, view: state.view } : withMenu(state, reply, scope, ...choices);
}
