import type { Answer } from '#libs/contracts';
import { Counter } from '#libs/platform';
import type { VideoState } from '#libs/vendors/heygen';

/** Where a video is now: at an address for a while, nowhere any more, or nobody can say. */
export type Fresh = { is: 'there'; url: string } | { is: 'gone' } | { is: 'away'; retryAfterSeconds: number };

const asked = new Counter('gateway_video_asks', 'Questions to HeyGen where a video is, by answer', ['answer']);

const ASK_LIMIT_MS = 5_000;
const KEPT_MS = 60_000;
/** An address is not handed on when it is about to end. */
const MARGIN_MS = 30_000;
const MOST_KEPT = 1_000;
const MOST_CALLS = 16;
const RETRY_AFTER_SECONDS = 10;

interface Kept {
  fresh: Fresh;
  until: number;
}

/**
 * The addresses of videos, asked of HeyGen when somebody wants to see one. Who ask for the same one together, or within a
 * minute, are told the same: one call. Calls, their time and what is kept are bounded, so that no crowd is one of HeyGen's.
 */
export class FreshUrls {
  private readonly kept = new Map<string, Kept>();
  private readonly calls = new Map<string, Promise<Fresh>>();

  /** `now` is epoch milliseconds. */
  constructor(
    private readonly ask: (videoId: string, signal: AbortSignal) => Promise<Answer<VideoState>>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Never rejects. */
  async of(videoId: string): Promise<Fresh> {
    const known = this.kept.get(videoId);
    if (known && known.until > this.now()) return known.fresh;
    const running = this.calls.get(videoId);
    if (running) return running;
    if (this.calls.size >= MOST_CALLS) return AWAY;
    const call = this.fetch(videoId).finally(() => this.calls.delete(videoId));
    this.calls.set(videoId, call);
    return call;
  }

  private async fetch(videoId: string): Promise<Fresh> {
    const fresh = freshOf(await this.ask(videoId, AbortSignal.timeout(ASK_LIMIT_MS)));
    asked.add(fresh.is);
    const until = Math.min(this.now() + KEPT_MS, fresh.is === 'there' ? endOf(fresh.url) - MARGIN_MS : Infinity);
    this.kept.delete(videoId);
    if (fresh.is !== 'away' && until > this.now()) this.kept.set(videoId, { fresh, until });
    // The one that was asked for first goes first.
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MOST_KEPT) break;
      this.kept.delete(oldest);
    }
    return fresh;
  }
}

const AWAY: Fresh = { is: 'away', retryAfterSeconds: RETRY_AFTER_SECONDS };

const GONE = new Set(['video_not_found', 'not_found', 'resource_not_found', 'http-404', 'http-410']);

function freshOf(answer: Answer<VideoState>): Fresh {
  if (answer.outcome === 'done') {
    const { status, url } = answer.value;
    return status === 'completed' && url !== undefined && isWeb(url) ? { is: 'there', url } : { is: 'gone' };
  }
  return answer.outcome === 'stop' && GONE.has(answer.code) ? { is: 'gone' } : AWAY;
}

const isWeb = (url: string): boolean => ['https:', 'http:'].includes(URL.parse(url)?.protocol ?? '');

/** When a signed address ends, epoch milliseconds, as far as it says so itself. */
function endOf(url: string): number {
  const seconds = Number(URL.parse(url)?.searchParams.get('Expires') ?? NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : Infinity;
}
