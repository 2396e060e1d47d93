import { type Answer, openaiCodes } from '#libs/contracts';
import { Gauge, type Standstill } from '#libs/platform';

const stopped = new Gauge(
  'openai_stopped',
  '1 where OpenAI answers nothing because nothing pays for it (unpaid) or the key is not taken (unauthorized), else 0',
  ['reason'],
);

type Reason = 'unpaid' | 'unauthorized';

/** Why an answer says that none will come for now; undefined where it does not say so. */
export function stoppedBy(answer: Answer): Reason | undefined {
  if (answer.outcome !== 'retry') return undefined;
  if (openaiCodes('unpaid').includes(answer.code)) return 'unpaid';
  return openaiCodes('unauthorized').includes(answer.code) ? 'unauthorized' : undefined;
}

/** What ends all answers of the one account that all tenants' questions go to. */
export const openaiAccount: Standstill<Reason> = {
  stoppedBy,
  stops: {
    unpaid: 'OpenAI: nothing pays for answers any more: questions wait until something does; fill the account up',
    unauthorized: 'OpenAI: the key is not taken: questions wait until it is; set OPENAI_API_KEY anew and start again',
  },
  goesOn: 'OpenAI answers again: the questions that waited are asked',
  measure: (value, reason) => stopped.set(value, reason),
};
