import { type Answer, BATCH_QUEUE_FULL, NO_BATCH_API, NO_SUCH_BATCH, openaiCodes } from '#libs/contracts';
import type { AlertLines, VendorWatch } from '#libs/platform';
import type { CallContext, Carried, EffectKind, JobInHand, UnderWay } from '#libs/process';
import {
  BATCH_RATE,
  type BatchModel,
  type BatchOf,
  OpenAiBatches,
  type Question,
  type Reply,
} from '#libs/vendors/openai';
import { type Asked, checked, settingsOf, withRecord } from './ask.effects';
import type { EnrichmentConfig } from './enrichment.config';
import { countTokens } from './model-telemetry';
import { stoppedBy } from './openai-account';

type Refusal = Exclude<Answer, { outcome: 'done' }>;
type Ended = Answer | UnderWay;

const NO_RESULTS: Answer<Map<string, Answer<Reply>>> = { outcome: 'done', value: new Map() };
const MOST_BYTES = 50_000_000;
const DAY_MS = 86_400_000;
/** Answers that are settled at once. */
const AT_ONCE = 4;

/**
 * Questions in a batch: one job of OpenAI's Batch API, at half the price. Before it is submitted once more it is looked for by
 * its token, so a lost answer is not paid twice. Its answers are settled one by one, as if each had been asked by itself; then
 * what OpenAI keeps of them is deleted.
 */
export function askingInBatches(config: EnrichmentConfig, account: VendorWatch, lines: AlertLines): EffectKind {
  const asking = new AskingInBatches(config, account, lines);
  return {
    is: 'command',
    deadlineMs: config.OPENAI_BATCH_DEADLINE,
    maxAttempts: 5,
    maxRepeats: 0,
    limits: [
      {
        ...{ name: 'batches', most: 60, perMs: 60_000 },
        pausedBy: [...openaiCodes('busy')],
        stoppedBy: [...openaiCodes('unpaid'), ...openaiCodes('unauthorized')],
      },
    ],
    job: {
      carries: 'openai.ask',
      // A batch asks one model.
      alike: ({ model }: Question) => model,
      most: config.OPENAI_BATCH_MOST,
      mostBytes: MOST_BYTES,
      gatherMs: config.OPENAI_BATCH_AFTER,
      rate: BATCH_RATE,
      doubtMs: config.OPENAI_BATCH_EVERY,
    },
    perform(_request: unknown, call) {
      const { job } = call;
      if (!job) throw new Error('a batch is a job');
      return job.soFar === undefined ? asking.begin(call, job) : asking.look(job.soFar as BatchOf, call, job);
    },
  };
}

class AskingInBatches {
  private readonly batches: BatchModel;
  private isToldMissing = false;

  constructor(
    private readonly config: EnrichmentConfig,
    private readonly account: VendorWatch,
    private readonly lines: AlertLines,
  ) {
    this.batches = new OpenAiBatches(settingsOf(config));
  }

  async begin({ tenant, attempt, idempotencyKey, signal }: CallContext, job: JobInHand): Promise<Ended> {
    if (attempt > 1) {
      const found = await this.batches.find(idempotencyKey, signal);
      // Whether it is there must be known: else its questions would go with the next job, and be paid twice.
      if (found.outcome !== 'done') return found.code === NO_BATCH_API ? this.missing(found, job) : this.later(found);
      if (found.value) return this.waiting(found.value);
    }
    if (job.left === 0) return { outcome: 'done', value: null };
    const questions = (await job.carried()).map(({ name, request }) => ({ name, question: request as Question }));
    const made = await this.batches.submit(questions, idempotencyKey, tenant, signal);
    this.account.answered(made);
    if (made.outcome === 'done') return this.waiting(made.value);
    if (made.code === NO_BATCH_API) return this.missing(made, job);
    return made.outcome === 'retry' ? this.later(made) : made;
  }

  // It was taken, so it is paid for: whatever comes of a look, nothing of it is asked again before its answers are known.
  async look(soFar: BatchOf, call: CallContext, job: JobInHand): Promise<Ended> {
    const looked = await this.batches.look(soFar.id, call.signal);
    if (looked.outcome !== 'done') return isLost(looked, soFar) ? looked : this.later(looked);
    const batch = looked.value;
    if (batch.state !== 'open') return this.taken(batch, call, job);
    // Nobody waits for it any more.
    if (job.left === 0) await this.batches.cancel(batch.id, call.signal);
    return this.waiting(batch);
  }

  private async taken(batch: BatchOf, { signal }: CallContext, job: JobInHand): Promise<Ended> {
    // Where a crash came behind the last answer, its files may be gone already.
    const results = job.left > 0 ? await this.batches.results(batch, signal) : NO_RESULTS;
    if (results.outcome !== 'done') return isLost(results, batch) ? results : this.later(results);
    const left = job.left > 0 ? [...(await job.carried())] : [];
    const settle = async () => {
      for (let one = left.pop(); one; one = left.pop()) await job.answer(one, this.answerOf(one, results.value, batch));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, settle));
    const forgotten = await this.batches.forget(batch, signal);
    if (forgotten.outcome !== 'done') return this.later(forgotten);
    return { outcome: 'done', value: { id: batch.id, state: batch.state, counts: batch.counts } };
  }

  private answerOf({ name, request }: Carried, results: ReadonlyMap<string, Answer<Reply>>, batch: BatchOf): Answer {
    const answer = results.get(name) ?? missingIn(batch, this.config);
    if (answer.outcome !== 'done') return answer;
    countTokens((request as Asked).model, answer.value.tokens);
    return checked(request as Asked, withRecord(request as Asked, answer));
  }

  private waiting(batch: BatchOf): UnderWay {
    const { OPENAI_BATCH_EVERY: every } = this.config;
    const age = Date.now() - Date.parse(batch.createdAt);
    // Seldom, as most of a day may pass; soon, as most are done in minutes.
    return { outcome: 'under-way', soFar: batch, afterMs: Math.min(10 * every, Math.max(every, age / 10)) };
  }

  private async missing(refusal: Refusal, { carried, letGo }: JobInHand): Promise<Ended> {
    const { OPENAI_BATCH_ELSE: otherwise, OPENAI_RETRY_AFTER: afterMs } = this.config;
    if (otherwise === 'wait') {
      this.tellMissing();
      return { ...this.later(refusal), afterMs };
    }
    for (const one of await carried()) await letGo(one, NO_BATCH_API);
    return { outcome: 'done', value: null };
  }

  private tellMissing(): void {
    if (this.isToldMissing) return;
    this.isToldMissing = true;
    this.lines.error(
      { code: NO_BATCH_API },
      'OpenAI: the account, or the compatible service, has no Batch API: questions wait that were to go by it; ' +
        'OPENAI_BATCH_ELSE=single asks them singly, at the full price',
    );
  }

  // Tried again without end: a batch is given up only where OpenAI refuses it for good.
  private later(refusal: Refusal): Extract<Answer, { outcome: 'retry' }> {
    const own = refusal.outcome === 'retry' ? refusal.afterMs : undefined;
    const afterMs = stoppedBy(refusal) ? this.config.OPENAI_RETRY_AFTER : own;
    const { code, message } = refusal;
    return { outcome: 'retry', code, message, refused: true, ...(afterMs === undefined ? {} : { afterMs }) };
  }
}

/** A batch of which nothing is known any more, long after its end, and not only because of another key. */
function isLost({ code }: Refusal, { createdAt }: BatchOf): boolean {
  return code === NO_SUCH_BATCH && Date.now() - Date.parse(createdAt) > 2 * DAY_MS;
}

/**
 * Of a question that an ended batch has no answer for. Only where it came to its end this uses up an attempt, and only there
 * nobody knows whether it was asked.
 */
function missingIn({ state, faults = [] }: BatchOf, { OPENAI_RETRY_AFTER }: EnrichmentConfig): Answer<Reply> {
  const message = 'the batch has no answer for it';
  if (state === 'completed') return { outcome: 'unknown', code: 'not-answered', message };
  if (state !== 'failed') return { outcome: 'retry', code: `batch-${state}`, message, refused: true };
  const [fault] = faults;
  const code = fault?.code ?? 'batch-failed';
  const passes = code === BATCH_QUEUE_FULL || openaiCodes('unpaid').includes(code) || fault?.line !== undefined;
  return { outcome: 'retry', code: `batch-${code}`, message, refused: passes, afterMs: OPENAI_RETRY_AFTER };
}
