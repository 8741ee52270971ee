/* Moved: what names it here is to name `observability/` instead. */
export { createSpans, type Spans } from './observability/tracing.ts';
