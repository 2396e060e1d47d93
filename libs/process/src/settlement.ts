import type { Answer } from '#libs/contracts';
import type { ClaimedEffect, Settlement } from '#libs/event-store';
import { backoff } from './backoff';
import type { EffectKind, UnderWay } from './effect-kind';

/** How an effect is settled by what its call came to (protocol 15). */
export function settlementOf(answer: Answer | UnderWay, effect: ClaimedEffect, kind: EffectKind): Settlement {
  if (answer.outcome === 'done') return { state: 'done', answer: answer.value, cost: answer.cost };
  if (answer.outcome === 'under-way') {
    const { outcome: code, soFar, afterMs } = answer;
    return { state: 'owed', code, afterMs, refused: true, soFar };
  }
  const { code, message } = answer;
  if (answer.outcome === 'stop') return { state: 'dead', code, message, cost: answer.cost };
  const used = effect.attempt - effect.refusals;
  if (answer.outcome === 'unknown' && kind.is === 'command') {
    return { state: 'unknown', code, afterMs: kind.job?.doubtMs ?? backoff(effect.attempt) };
  }
  const refused = answer.outcome === 'retry' && answer.refused;
  if (!refused && used >= kind.maxAttempts) return { state: 'dead', code, message };
  const wish = answer.outcome === 'retry' ? answer.afterMs : undefined;
  return { state: 'owed', code, afterMs: wish ?? backoff(effect.attempt), refused };
}
