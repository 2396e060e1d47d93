import { billedQuestion, billedRender, latePending, writesInOrder } from './effect-rules';
import type { Evidence, Finding, Rule } from './evidence';
import { deadLetter, lostWebhook, outOfOrder } from './log-rules';
import { enrichmentAccounted, finalState, renderAccounted } from './outcome-rules';

/** All that must hold of a run in which every vendor was asked. */
export const everyRule: readonly Rule[] = [
  lostWebhook,
  outOfOrder,
  deadLetter,
  billedRender,
  billedQuestion,
  latePending,
  writesInOrder,
  renderAccounted,
  enrichmentAccounted,
  finalState,
];

/** Finds everything in the evidence that breaks a promise; knows nothing of the hub's inside. */
export const check = (evidence: Evidence): Finding[] => everyRule.flatMap((rule) => rule(evidence));
