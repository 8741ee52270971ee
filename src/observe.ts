/* Moved: what names it here is to name `observability/` instead. */
export { ALARMS, type Alarm, atMostEvery, type Fields, type Log } from './observability/log.ts';
export type { Observe } from './observability/metrics.ts';
