import type { Flow } from '../flow.ts';
import { accumulate } from './accumulate.ts';
import { history, points } from './reads.ts';
import { redeem } from './redeem.ts';

/** What the bot can do for customers, in the order of the menu. To add a flow: its file, and a line here. */
export const flows: readonly Flow[] = [accumulate, redeem, points, history];
