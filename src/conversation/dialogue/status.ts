import type { Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { codeLine, receiptLines, shown } from '../prompts/receipts.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { confirmationOf } from './calls.ts';
import { operationsOf } from './operations.ts';
import { again, home } from './questions.ts';

/** How an operation stands, by its reference or the last one; of several codes, each. */
export function status(state: ConversationState, scope: Scope, reference?: string): Decision {
  const [operation, ...others] = operationsOf(state, reference);
  const reply: Reply = operation
    ? {
        key: 'operation.status',
        context: others.length > 0 ? 'several' : shown(operation.status),
        params: {
          reference: others.length > 0 ? confirmationOf(operation.id) : operation.id,
          what: { key: `operation.kind.${operation.kind}` },
          at: operation.atMs,
        },
        lines: others.length > 0 ? [operation, ...others].map(codeLine) : receiptLines(operation, scope),
      }
    : { key: 'operation.none' };
  return state.step.at === 'idle' ? home(state, scope, reply) : again(state, scope, reply);
}
