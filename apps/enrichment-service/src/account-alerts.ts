import { type Answer, openaiCodes } from '#libs/contracts';
import { Gauge } from '#libs/platform';

const stopped = new Gauge(
  'openai_stopped',
  '1 where OpenAI answers nothing because nothing pays for it (unpaid) or the key is not taken (unauthorized), else 0',
  ['reason'],
);

/** Where it is said that the model answers nothing, and that it does again. */
export interface Lines {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const reasons = {
  unpaid: 'nothing pays for answers any more: questions wait until something does; fill the account up',
  unauthorized: 'the key is not taken: questions wait until it is; set OPENAI_API_KEY anew and start again',
};

/** Why an answer says that none will come for now; undefined where it does not say so. */
export function stoppedBy(answer: Answer): keyof typeof reasons | undefined {
  if (answer.outcome !== 'retry') return undefined;
  if (openaiCodes('unpaid').includes(answer.code)) return 'unpaid';
  return openaiCodes('unauthorized').includes(answer.code) ? 'unauthorized' : undefined;
}

export type AccountAlerts = ReturnType<typeof accountAlerts>;

/** Tells once why the model answers nothing, and once that it does again; measures it in between. */
export function accountAlerts(lines: Lines) {
  let now: keyof typeof reasons | undefined;
  return {
    answered(answer: Answer): void {
      const reason = stoppedBy(answer);
      if (reason === now || (!reason && answer.outcome !== 'done')) return;
      if (now) stopped.set(0, now);
      if (reason) {
        stopped.set(1, reason);
        lines.error({ code: answer.outcome === 'done' ? '' : answer.code, reason }, `OpenAI: ${reasons[reason]}`);
      } else lines.info({}, 'OpenAI answers again: the questions that waited are asked');
      now = reason;
    },
  };
}
