import { Courier, type Outcome, type Parcel } from '../../courier.ts';
import type { Target } from '../../frame/control.ts';
import { shuffled, type Random } from '../../frame/seeded-random.ts';
import type { Change } from '../crm/record-store.ts';
import { defaultSubscriptions, eventOf, isSubscribed, type Subscription, type WebhookEvent } from './event-shapes.ts';
import { signatureHeaders, type SignatureProfile } from './signatures.ts';

export interface WebhookSwitches {
  shuffle: boolean;
  /** How many further times each batch is sent. */
  duplicate: number;
  signature: SignatureProfile;
  /** Send `object.*` events instead of the classic ones. */
  generic: boolean;
  /** Give every event the same eventId. */
  forcedEventIdCollisions: boolean;
  collectMs: number;
  deadlineMs: number;
  maxRetries: number;
  retryScale: number;
  paused: boolean;
}

const MOST_EVENTS = 100;
const IN_FLIGHT = 10;
const USER_AGENT = 'HubSpot Connect 2.0 (sandbox)';

export interface EmitterOptions {
  portalId: number;
  appId: number;
  clientSecret: string;
  random: Random;
  retryScale: number;
  target?: Target;
}

/** Turns changes into signed batches and delivers them, without order and at least once, as the vendor does. */
export class WebhookEmitter {
  readonly courier = new Courier(IN_FLIGHT);
  readonly switches: WebhookSwitches;
  subscriptions: Subscription[] = defaultSubscriptions();
  target: Target | undefined;
  readonly #options: EmitterOptions;
  #collected: WebhookEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EmitterOptions) {
    this.#options = options;
    this.target = options.target;
    this.switches = {
      shuffle: false,
      duplicate: 0,
      signature: 'v1+v3',
      generic: false,
      forcedEventIdCollisions: false,
      collectMs: 50,
      deadlineMs: 5000,
      maxRetries: 10,
      retryScale: options.retryScale,
      paused: false,
    };
  }

  announce(changes: Change[]): void {
    if (this.target === undefined) return;
    for (const change of changes)
      for (const subscription of this.subscriptions)
        if (isSubscribed(subscription, change)) this.#collected.push(this.#event(change, subscription));
    this.#schedule();
  }

  get waiting(): number {
    return this.#collected.length;
  }

  /** Lets collected events go after a pause was lifted. */
  resume(): void {
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.courier.stop();
  }

  /** The parcel of any body, signed for the current target at each attempt. */
  parcel(
    kind: string,
    bodyOf: (attempt: number) => string,
    rules: Partial<Pick<Parcel, 'deadlineMs' | 'maxRetries' | 'retryDelay'>> & { signature?: SignatureProfile } = {},
  ): Parcel {
    const { url, deliverTo } = this.target ?? { url: '' };
    const { signature, ...others } = rules;
    return {
      kind,
      url,
      deliverTo,
      deadlineMs: this.switches.deadlineMs,
      maxRetries: this.switches.maxRetries,
      retryDelay: (retry) => this.#retryDelay(retry),
      ...others,
      pack: (attempt) => {
        const body = bodyOf(attempt);
        const profile = signature ?? this.switches.signature;
        return {
          body,
          headers: {
            'Content-Type': 'application/json',
            'User-Agent': USER_AGENT,
            ...signatureHeaders(profile, this.#options.clientSecret, url, body, Date.now()),
          },
        };
      },
    };
  }

  /** How a workflow action retries: not after a 4xx, except 429 with its Retry-After in milliseconds. */
  readonly workflowRetry = (retry: number, outcome: Outcome): number | null => {
    const status = outcome.status ?? 0;
    if (status === 429) return Number(outcome.retryAfter) || this.#retryDelay(retry);
    return status >= 400 && status < 500 ? null : this.#retryDelay(retry);
  };

  eventId(): number {
    return this.switches.forcedEventIdCollisions ? 1_000_000_007 : this.#options.random.below(2 ** 32);
  }

  #event(change: Change, subscription: Subscription): WebhookEvent {
    const { portalId, appId } = this.#options;
    return eventOf(change, subscription, { portalId, appId, eventId: this.eventId(), generic: this.switches.generic });
  }

  #schedule(): void {
    if (this.#collected.length === 0 || this.switches.paused || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, this.switches.collectMs);
  }

  #send(): void {
    const { shuffle, duplicate } = this.switches;
    const events = shuffle ? shuffled(this.#collected, this.#options.random) : this.#collected;
    this.#collected = [];
    for (let start = 0; start < events.length; start += MOST_EVENTS) {
      const batch = events.slice(start, start + MOST_EVENTS);
      const bodyOf = (attempt: number): string =>
        JSON.stringify(batch.map((event) => ({ ...event, attemptNumber: attempt })));
      for (let copy = 0; copy <= duplicate; copy++) this.courier.ship(this.parcel('events', bodyOf));
    }
  }

  /** About 1 s, then growing by two thirds each time with some spread; `retryScale` stretches or shrinks it. */
  #retryDelay(retry: number): number {
    const spread = 0.9 + this.#options.random.next() * 0.2;
    return Math.min(1000 * 1.67 ** (retry - 1), 60_000) * this.switches.retryScale * spread;
  }
}
