import { isObject, numberOf, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { VendorError } from '../frame/server.ts';
import { shuffled, type Random } from '../frame/seeded-random.ts';
import { linesOf, type BatchError, type Line } from './batch-lines.ts';
import { failed, invalid } from './errors.ts';
import { unix, type FileStore } from './files.ts';
import type { Ledger } from './ledger.ts';
import { generateAt } from './routes.ts';

export type BatchStatus =
  'validating' | 'failed' | 'in_progress' | 'finalizing' | 'completed' | 'expired' | 'cancelling' | 'cancelled';

export interface StoredBatch {
  id: string;
  endpoint: string;
  inputFile: string;
  metadata: JsonObject | null;
  status: BatchStatus;
  /** Unix seconds, by what happened then. */
  at: Partial<Record<BatchStatus | 'created', number>>;
  lines: Line[];
  errors: BatchError[];
  outputFile: string | null;
  errorFile: string | null;
  done: number;
  refused: number;
}

export const BATCH_FAULTS: readonly string[] = ['failed', 'expired', 'line'];

interface PlannedFault {
  match: { bodyIncludes?: string };
  fault: { kind: string; code?: string; message?: string; done?: number; status?: number };
  times: number;
}

const DAY_SECONDS = 86_400;
const OPEN: readonly BatchStatus[] = ['validating', 'in_progress', 'finalizing', 'cancelling'];

/** What the store works with. */
interface Surroundings {
  files: FileStore;
  ledger: Ledger;
  random: Random;
}

/** Runs batches: each is done when its time has come, or when the control API says so, or it fails as was planned. */
export class BatchStore {
  /** `batches`: whether there is a Batch API. `doneAtCancel`: lines that a cancelled batch has done already. */
  readonly settings = { batches: true, batchMs: 1500, doneAtCancel: 0 };
  faults: PlannedFault[] = [];
  readonly #batches = new Map<string, StoredBatch>();
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Newest first. */
  all(): StoredBatch[] {
    return [...this.#batches.values()].reverse();
  }

  get(id: string): StoredBatch {
    const batch = this.#batches.get(id);
    if (!batch) throw failed(404, `No batch found with id '${id}'.`, { param: 'batch_id' });
    return batch;
  }

  plan(input: unknown): string | undefined {
    const { match, fault, times } = objectOf(input);
    const { kind, code, message, done, status } = objectOf(fault);
    if (!BATCH_FAULTS.includes(String(kind))) return `fault.kind: one of ${BATCH_FAULTS.join(', ')}`;
    this.faults.push({
      match: { bodyIncludes: textOf(objectOf(match)['bodyIncludes']) },
      fault: {
        kind: String(kind),
        code: textOf(code),
        message: textOf(message),
        done: numberOf(done),
        status: numberOf(status),
      },
      times: numberOf(times) ?? 1,
    });
    return undefined;
  }

  create(body: JsonObject): StoredBatch {
    const { input_file_id: input, endpoint, completion_window: window, metadata } = body;
    if (window !== '24h') throw invalid("Invalid value: 'completion_window' must be '24h'.", 'completion_window');
    const file = this.#around.files.all().find(({ id }) => id === input);
    if (!file) throw invalid(`Cannot find file ${String(input)}.`, 'input_file_id');
    const { lines, errors } = linesOf(file.bytes, String(endpoint));
    const batch: StoredBatch = {
      id: `batch_${this.#around.random.hex(24)}`,
      endpoint: String(endpoint),
      inputFile: file.id,
      metadata: isObject(metadata) ? metadata : null,
      status: 'validating',
      at: { created: unix() },
      lines,
      errors,
      outputFile: null,
      errorFile: null,
      done: 0,
      refused: 0,
    };
    this.#batches.set(batch.id, batch);
    setTimeout(() => this.#validate(batch), 0).unref();
    return batch;
  }

  cancel(id: string): StoredBatch {
    const batch = this.get(id);
    if (!OPEN.includes(batch.status))
      throw failed(409, `Cannot cancel a batch with status '${batch.status}'.`, { code: 'invalid_batch_state' });
    this.#move(batch, 'cancelling');
    setTimeout(() => this.#end(batch, 'cancelled', this.settings.doneAtCancel), 0).unref();
    return batch;
  }

  /** Does what is left of a batch now. */
  finish(id: string): StoredBatch {
    const batch = this.get(id);
    if (batch.status === 'validating') this.#validate(batch);
    if (batch.status === 'in_progress') this.#run(batch);
    return batch;
  }

  #move(batch: StoredBatch, status: BatchStatus): void {
    batch.status = status;
    batch.at[status] = unix();
  }

  #validate(batch: StoredBatch): void {
    if (batch.status !== 'validating') return;
    const fault = this.#take(batch, 'failed');
    if (fault)
      batch.errors.push({
        code: fault.code ?? 'internal_error',
        message: fault.message ?? 'Injected: the batch failed.',
        line: null,
        param: null,
      });
    this.#move(batch, batch.errors.length > 0 ? 'failed' : 'in_progress');
    if (batch.errors.length === 0) setTimeout(() => this.#run(batch), this.settings.batchMs).unref();
  }

  #run(batch: StoredBatch): void {
    if (batch.status !== 'in_progress') return;
    const fault = this.#take(batch, 'expired');
    if (fault) this.#end(batch, 'expired', fault.done ?? 0);
    else this.#end(batch, 'completed', batch.lines.length);
  }

  #end(batch: StoredBatch, status: 'completed' | 'expired' | 'cancelled', most: number): void {
    const { files, random } = this.#around;
    const code = `batch_${status}`;
    const message =
      status === 'expired' ? 'This request could not be executed before the completion window expired.' : 'Cancelled.';
    const said: [isDone: boolean, line: JsonObject][] = batch.lines.map((line, i) =>
      i < most ? this.#answer(batch, line) : [false, { response: null, error: { code, message } }],
    );
    const named = said.map(([isDone, line], i): [boolean, JsonObject] => [
      isDone,
      { id: `batch_req_${random.hex(24)}`, custom_id: batch.lines[i]?.customId, ...line },
    ]);
    const put = (isDone: boolean): string | null => {
      const lines = named.filter(([one]) => one === isDone).map(([, line]) => JSON.stringify(line));
      if (lines.length === 0) return null;
      const filename = `${batch.id}_${isDone ? 'output' : 'error'}.jsonl`;
      const bytes = Buffer.from(`${shuffled(lines, random).join('\n')}\n`);
      return files.add({ filename, purpose: 'batch_output', bytes }).id;
    };
    batch.done = named.filter(([isDone]) => isDone).length;
    batch.refused = batch.lines.length - batch.done;
    batch.outputFile = put(true);
    batch.errorFile = put(false);
    this.#move(batch, 'finalizing');
    this.#move(batch, status);
  }

  #answer(batch: StoredBatch, line: Line): [boolean, JsonObject] {
    const request_id = `req_${this.#around.random.hex(32)}`;
    try {
      const fault = this.#takeFor(line.text);
      if (fault)
        throw failed(fault.status ?? 500, fault.message ?? 'Injected.', { code: fault.code ?? 'server_error' });
      const body = generateAt(batch.endpoint, line.body, this.#around, { id: batch.id, customId: line.customId });
      return [true, { response: { status_code: 200, request_id, body }, error: null }];
    } catch (error) {
      if (!(error instanceof VendorError)) throw error;
      return [false, { response: { status_code: error.status, request_id, body: error.body }, error: null }];
    }
  }

  #take(batch: StoredBatch, kind: string): PlannedFault['fault'] | undefined {
    return this.#hit(kind, (includes) => batch.lines.some(({ text }) => text.includes(includes)));
  }

  #takeFor(text: string): PlannedFault['fault'] | undefined {
    return this.#hit('line', (includes) => text.includes(includes));
  }

  #hit(kind: string, matches: (includes: string) => boolean): PlannedFault['fault'] | undefined {
    const hit = this.faults.find(({ fault, match }) => fault.kind === kind && matches(match.bodyIncludes ?? ''));
    if (!hit) return undefined;
    hit.times -= 1;
    if (hit.times <= 0) this.faults = this.faults.filter((one) => one !== hit);
    return hit.fault;
  }
}

export function shownBatch(batch: StoredBatch): JsonObject {
  const { id, endpoint, status, at, errors, lines, done, refused } = batch;
  const time = (name: BatchStatus): number | null => at[name] ?? null;
  return {
    id,
    object: 'batch',
    endpoint,
    model: textOf(lines[0]?.body['model']) ?? null,
    errors: errors.length > 0 ? { object: 'list', data: errors } : null,
    input_file_id: batch.inputFile,
    completion_window: '24h',
    status,
    output_file_id: batch.outputFile,
    error_file_id: batch.errorFile,
    created_at: at.created,
    expires_at: (at.created ?? 0) + DAY_SECONDS,
    in_progress_at: time('in_progress'),
    finalizing_at: time('finalizing'),
    completed_at: time('completed'),
    failed_at: time('failed'),
    expired_at: time('expired'),
    cancelling_at: time('cancelling'),
    cancelled_at: time('cancelled'),
    request_counts: { total: lines.length, completed: done, failed: refused },
    metadata: batch.metadata,
  };
}
