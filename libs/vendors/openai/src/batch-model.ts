import type { Answer } from '#libs/contracts';
import type { Question, Reply } from './language-model';

/** A question of a batch; its answer is known by the `name`, of up to 64 characters. */
export interface BatchQuestion {
  name: string;
  question: Question;
}

/** A batch as the vendor tells of it; says nothing of what was asked. */
export interface BatchOf {
  id: string;
  /** `open`: its answers are still to come; else how it ended. */
  state: 'open' | 'completed' | 'failed' | 'expired' | 'cancelled';
  /** Files that hold what was asked and answered. */
  input: string;
  output?: string;
  refused?: string;
  counts?: { total: number; done: number; failed: number };
  /** RFC 3339. */
  createdAt: string;
  /** When it ends at the latest (RFC 3339). */
  expiresAt?: string;
  /** Why it failed as a whole, and for which line of its input, from 1. */
  faults?: { code: string; line?: number }[];
}

/** Questions that may wait for a day are asked together, at half the price. Never throws: every answer is sorted. */
export interface BatchModel {
  /**
   * Asks questions of one model together. `token` names the submission: one whose answer was lost is found by it. Where
   * there is no Batch API it ends as {@link NO_BATCH_API}.
   */
  submit(
    questions: readonly BatchQuestion[],
    token: string,
    tenant: string,
    signal: AbortSignal,
  ): Promise<Answer<BatchOf>>;
  /** The batch of a submission, if it was taken; if not, its file, which may have arrived, is deleted. */
  find(token: string, signal: AbortSignal): Promise<Answer<BatchOf | undefined>>;
  look(id: string, signal: AbortSignal): Promise<Answer<BatchOf>>;
  /** What an ended batch says, by the names of its questions: those that it did not come to are missing. */
  results(batch: BatchOf, signal: AbortSignal): Promise<Answer<Map<string, Answer<Reply>>>>;
  /** Asks for its end; what it has done is paid for. */
  cancel(id: string, signal: AbortSignal): Promise<Answer<BatchOf>>;
  /** Deletes what the vendor keeps of its questions and answers; what is gone already is passed over. */
  forget(batch: BatchOf, signal: AbortSignal): Promise<Answer<void>>;
  /** Whether the account has a Batch API. Nothing is billed for it. */
  hasBatches(signal: AbortSignal): Promise<Answer<boolean>>;
}
