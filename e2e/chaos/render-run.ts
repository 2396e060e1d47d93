import { renderPlanOf } from './render-plan';
import { renderRules, unwatchable } from './render-rules';
import { type ChaosResult, runChaos } from './run';

// The ledger's own times are short, but the call's deadline of 10 s, which an order without an answer takes.
const settings = {
  RECIPES_DIR: 'e2e/chaos/recipes',
  HEYGEN_JOBS: '300',
  HEYGEN_RETRY_AFTER: '1s',
  HUBSPOT_PER_TEN_SECONDS: '2000',
  RENDER_MS: '500',
};

export interface RenderRun {
  seed: number;
  triggers: number;
  /** Over how long triggers and faults are spread. */
  overMs: number;
  settleMs: number;
  progress(line: string): void;
}

/** Runs so many triggers through faults at every step of a render, and counts by HeyGen's own books. */
export async function runRenders({ seed, triggers, overMs, settleMs, progress }: RenderRun): Promise<ChaosResult> {
  const plan = renderPlanOf(seed, triggers, overMs);
  return runChaos({ plan, settings, rules: renderRules, lastLook: unwatchable, settleMs, progress });
}
