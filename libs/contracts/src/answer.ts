/**
 * What a vendor adapter says of one call: the four outcomes that the effect ledger knows (protocol 15).
 *
 * - `done`: the vendor did it; `value` is the receipt.
 * - `retry`: not done, known for certain, and worth another attempt. `refused` marks calls that the vendor turned away
 *   unprocessed (429): they use up no attempt. `afterMs` is the vendor's own wish for the wait, in milliseconds.
 * - `stop`: not done, known for certain, and another attempt would end the same way. What it cost all the same is `cost`:
 *   an answer that is of no use is paid for.
 * - `unknown`: it may have happened (time-out, connection lost after sending). Never retried blindly.
 */
export type Answer<T = unknown> =
  | { outcome: 'done'; value: T; cost?: Cost; record?: CallRecord }
  | { outcome: 'retry'; code: string; message: string; refused: boolean; afterMs?: number }
  | { outcome: 'stop'; code: string; message: string; cost?: Cost; record?: CallRecord }
  | { outcome: 'unknown'; code: string; message: string };

/** What is to be kept of a call: what may be read by anyone who may look, and what is sealed. */
export interface CallRecord {
  facts: Readonly<Record<string, string | number>>;
  sealed: unknown;
}

/** What a call cost, in the vendor's own units. Tokens are counted, money is in US dollars. */
export interface Cost {
  apiCalls?: number;
  credits?: number;
  inputTokens?: number;
  outputTokens?: number;
  usd?: number;
}

/** The code of a refused write of several values of which one was refused; vendors do not always say which. */
export const ONE_OF_SEVERAL = 'one-of-several-refused';

/** Code of a refusal of a whole batch for what one of its parts says: whatever bears it is called by itself next. */
export const BATCH_REFUSED = 'batch-refused';
