import { setTimeout as pause } from 'node:timers/promises';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Answer } from '#libs/contracts';
import { Counter, type Logger } from '#libs/platform';
import type { SentEvents } from '#libs/vendors/heygen';
import type { HeygenConnection } from '../connections';
import { type Ingress, receptionNow } from '../ingress';
import { sortCallback } from './callback';
import { VerifiedCallback } from './signature';

/** What a gateway needs to learn what it was not told. */
export interface History {
  /** Since when callbacks are waited for; undefined where none is. */
  since: () => Promise<Date | undefined>;
  /** One page of what HeyGen has sent. */
  page: (token: string | undefined, signal: AbortSignal) => Promise<Answer<SentEvents>>;
  close: () => Promise<void>;
}

const fetched = new Counter('gateway_callbacks_fetched', "Callbacks taken from HeyGen's history after a start", []);

/** 5,000 events. */
const MOST_PAGES = 50;
const PAGE_LIMIT_MS = 15_000;
const TRIES = 8;
const AGAIN_MS = 1_000;

/**
 * Takes in, once after the start, what HeyGen sent while nobody listened: by the way of a delivered callback and under the same id,
 * so what came both ways is decided once. Where no video is waited for, HeyGen is asked nothing; without {@link History} never.
 */
export class MissedCallbacks implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly history: History | undefined,
    private readonly connections: readonly HeygenConnection[],
    private readonly ingress: Pick<Ingress, 'accept'>,
    private readonly logger: Pick<Logger, 'info' | 'warn'>,
  ) {}

  onApplicationBootstrap(): void {
    const { history } = this;
    if (history) this.running = this.patiently(history);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.history?.close();
  }

  // The log, the database and HeyGen may all be later than the gateway. What is given up here, the watchdog finds.
  private async patiently(history: History): Promise<void> {
    for (let tries = 0; tries < TRIES && !this.stopping.signal.aborted; tries += 1) {
      try {
        const taken = await this.take(history);
        if (taken > 0) this.logger.info({ taken }, "callbacks were taken from HeyGen's history");
        return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.logger.warn({ err: error }, "HeyGen's history could not be taken in");
        await pause(AGAIN_MS * 2 ** tries, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** Resolves to how many callbacks were put on the log. */
  private async take(history: History): Promise<number> {
    const since = await history.since();
    if (since === undefined) return 0;
    let taken = 0;
    let token: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const signal = AbortSignal.any([AbortSignal.timeout(PAGE_LIMIT_MS), this.stopping.signal]);
      const answer = await history.page(token, signal);
      if (answer.outcome !== 'done') throw new Error(`HeyGen did not tell: ${answer.code}`);
      const { events, next } = answer.value;
      taken += await this.accept(events.filter(({ at }) => at >= since));
      token = next;
      if (token === undefined || isBefore(events, since)) break;
    }
    return taken;
  }

  private async accept(events: SentEvents['events']): Promise<number> {
    const records = events.flatMap((event) => {
      const told = VerifiedCallback.told(event, this.connections);
      const { record, quarantined } = told ? sortCallback(told, receptionNow()) : { record: undefined };
      return record && !quarantined ? [record] : [];
    });
    await this.ingress.accept(records, { repeats: false });
    records.forEach(() => {
      fetched.add();
    });
    return records.length;
  }
}

/** Whether what follows is older still: HeyGen does not promise an order. */
const isBefore = (events: SentEvents['events'], since: Date): boolean => {
  const [first, last] = [events.at(0), events.at(-1)];
  return first !== undefined && last !== undefined && first.at >= last.at && last.at < since;
};
