import { numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Random } from '../../frame/seeded-random.ts';
import { failed } from '../errors.ts';

export interface Render {
  id: string;
  templateId: string | null;
  title: string;
  callbackId: string | null;
  callbackUrl: string | null;
  folderId: string | null;
  variables: JsonObject;
  /** What was asked for besides: caption, subtitles, dimension. */
  options: JsonObject;
  idempotencyKey: string | null;
  test: boolean;
  status: 'waiting' | 'processing' | 'completed' | 'failed';
  createdAt: number;
  completedAt: number | null;
  duration: number | null;
  failureCode: string | null;
  failureMessage: string | null;
  priceUsd: number;
  refunded: boolean;
}

export interface RenderSettings {
  renderMs: number;
  /** How long a submission takes before it is answered. */
  submitMs: number;
  concurrency: number;
  walletUsd: number;
  renderPriceUsd: number;
  /** How long the videos are that are made from now on. */
  videoSeconds: number;
  urlLifeSeconds: number;
  /** Where missing credits show: at the submission, or as a failed render. */
  creditFailure: string;
  quotaExceeded: boolean;
}

export interface PlannedOutcome {
  match: { callbackId?: string; title?: string; variable?: string };
  outcome: 'fail';
  code: string;
  message: string;
  times: number;
}

export interface Submission {
  templateId: string | null;
  body: JsonObject;
  idempotencyKey: string | null;
  variables: JsonObject;
}

const unix = (): number => Math.floor(Date.now() / 1000);

/** Holds all renders, moves them along in time, and books what they cost. */
export class RenderStore {
  readonly settings: RenderSettings;
  readonly renders = new Map<string, Render>();
  /** Whatever was ever accepted: what is deleted stays on the bill. */
  readonly #accepted: Render[] = [];
  outcomes: PlannedOutcome[] = [];
  readonly #random: Random;
  readonly #onEnd: (render: Render) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #due = new Map<string, number>();
  readonly #plans = new Map<string, { code: string; message: string }>();

  constructor(settings: RenderSettings, random: Random, onEnd: (render: Render) => void) {
    this.settings = settings;
    this.#random = random;
    this.#onEnd = onEnd;
  }

  /** Accepts a render and charges it, or throws 402 or 429. */
  accept({ templateId, body, idempotencyKey, variables }: Submission): Render {
    const test = body['test'] === true;
    const priceUsd = test ? 0 : this.settings.renderPriceUsd;
    const poor = this.settings.walletUsd < priceUsd;
    this.#refuse(poor);
    const render: Render = {
      id: this.#random.hex(32),
      templateId,
      title: textOf(body['title']) ?? 'Untitled Video',
      callbackId: textOf(body['callback_id']) ?? null,
      callbackUrl: textOf(body['callback_url']) ?? null,
      folderId: textOf(body['folder_id']) ?? null,
      variables,
      options: { caption: body['caption'], subtitles: body['subtitles'], dimension: body['dimension'] },
      idempotencyKey,
      test,
      status: 'waiting',
      createdAt: unix(),
      completedAt: null,
      duration: null,
      failureCode: null,
      failureMessage: null,
      priceUsd: poor ? 0 : priceUsd,
      refunded: false,
    };
    this.settings.walletUsd -= render.priceUsd;
    this.renders.set(render.id, render);
    this.#accepted.push(render);
    const planned = poor
      ? { code: 'MOVIO_PAYMENT_INSUFFICIENT_CREDIT', message: 'Insufficient credit' }
      : this.#plannedFor(render);
    if (planned) this.#plans.set(render.id, planned);
    const { renderMs } = this.settings;
    this.#due.set(render.id, Date.now() + renderMs);
    this.#later(renderMs * 0.2, () => {
      if (render.status === 'waiting') render.status = 'processing';
    });
    this.#later(renderMs, () => this.finish(render));
    return render;
  }

  /** Ends a render now, as was planned for it; a failed one is not charged. */
  finish(render: Render, announce = true): void {
    if (render.status === 'completed' || render.status === 'failed') return;
    const failure = this.#plans.get(render.id);
    this.#plans.delete(render.id);
    render.completedAt = unix();
    this.#due.delete(render.id);
    if (failure) {
      render.status = 'failed';
      render.failureCode = failure.code;
      render.failureMessage = failure.message;
      render.refunded = render.priceUsd > 0;
      this.settings.walletUsd += render.priceUsd;
    } else {
      render.status = 'completed';
      render.duration = this.settings.videoSeconds;
    }
    if (announce) this.#onEnd(render);
  }

  newestFirst(): Render[] {
    return [...this.renders.values()].reverse();
  }

  running(): number {
    return this.#due.size;
  }

  billing(): JsonObject {
    const billed = this.#accepted.filter((render) => render.priceUsd > 0);
    const countBy = (key: (render: Render) => string | null): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const name of billed.map(key)) if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    };
    return {
      count: billed.length,
      tests: this.#accepted.filter(({ test }) => test).length,
      refunded: billed.filter(({ refunded }) => refunded).length,
      chargedUsd: billed.reduce((sum, render) => sum + (render.refunded ? 0 : render.priceUsd), 0),
      walletUsd: this.settings.walletUsd,
      byCallbackId: countBy(({ callbackId }) => callbackId),
      byTitle: countBy(({ title }) => title),
      byIdempotencyKey: countBy(({ idempotencyKey }) => idempotencyKey),
      renders: billed.map(({ id, callbackId, title, idempotencyKey, priceUsd, refunded, status, createdAt }) => ({
        ...{ id, callbackId, title, idempotencyKey, priceUsd, refunded, status, createdAt },
      })),
    };
  }

  plan(input: unknown): string | undefined {
    const { match, outcome, code, message, times } = objectOf(input);
    if (outcome !== 'fail') return 'outcome: only "fail" can be planned';
    const wanted = objectOf(match);
    this.outcomes.push({
      match: {
        callbackId: textOf(wanted['callbackId']),
        title: textOf(wanted['title']),
        variable: textOf(wanted['variable']),
      },
      outcome,
      code: textOf(code) ?? 'RENDER_FAILED',
      message: textOf(message) ?? 'The render failed',
      times: numberOf(times) ?? Number.MAX_SAFE_INTEGER,
    });
    return undefined;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #refuse(poor: boolean): void {
    if (this.settings.quotaExceeded) throw failed('quota_exceeded', 'The quota of this account is used up');
    if (poor && this.settings.creditFailure === 'submit')
      throw failed('insufficient_credit', 'The wallet balance does not cover this video');
    if (this.#due.size < this.settings.concurrency) return;
    const wait = Math.max(1, Math.ceil((Math.min(...this.#due.values()) - Date.now()) / 1000));
    throw failed('rate_limit_exceeded', 'Too many videos are being rendered at once', undefined, {
      'retry-after': String(wait),
    });
  }

  #plannedFor(render: Render): PlannedOutcome | undefined {
    const text = JSON.stringify(render.variables);
    const hit = this.outcomes.find(
      ({ match, times }) =>
        times > 0 &&
        (match.callbackId === undefined || match.callbackId === render.callbackId) &&
        (match.title === undefined || render.title.includes(match.title)) &&
        (match.variable === undefined || text.includes(match.variable)),
    );
    if (hit) hit.times -= 1;
    return hit;
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
