import { createHmac } from 'node:crypto';
import { Courier, type Outcome, type Parcel } from '../../courier.ts';
import type { JsonObject } from '../../frame/json.ts';
import type { Random } from '../../frame/seeded-random.ts';
import type { AssetLinks } from '../renders/asset-links.ts';
import type { Render } from '../renders/render-store.ts';

export interface Endpoint {
  endpointId: string;
  url: string;
  deliverTo?: string;
  secret: string;
  events: string[];
  createdAt: string;
}

export interface CallbackSwitches {
  /** Send the callback before the submission itself is answered. */
  early: boolean;
  lateMs: number;
  /** How many further times each callback is sent. */
  duplicate: number;
  /** How many of the next callbacks are never sent; -1 = all. */
  lost: number;
  signature: string;
  deadlineMs: number;
  maxRetries: number;
  retryScale: number;
}

export const CALLBACK_SIGNATURES: readonly string[] = ['v3+v1', 'v3', 'v1', 'unsigned', 'wrong-secret', 'stale'];

export interface HistoryRow {
  event_id: string;
  event_type: string;
  event_data: JsonObject;
  created_at: number;
}

function signed(profile: string, secret: string, body: string, eventId: string): Record<string, string> {
  if (profile === 'unsigned') return {};
  const key = profile === 'wrong-secret' ? `${secret}-not` : secret;
  const mac = createHmac('sha256', key).update(body, 'utf8').digest('hex');
  const seconds = Math.floor(Date.now() / 1000) - (profile === 'stale' ? 360 : 0);
  return {
    ...(profile === 'v3' ? {} : { Signature: mac }),
    ...(profile === 'v1'
      ? {}
      : { 'Heygen-Signature': mac, 'Heygen-Timestamp': String(seconds), 'Heygen-Event-Id': eventId }),
  };
}

/** Tells the registered endpoints how renders ended, with retries under the same event id. */
export class CallbackSender {
  readonly courier = new Courier(10);
  readonly endpoints = new Map<string, Endpoint>();
  readonly history: HistoryRow[] = [];
  readonly switches: CallbackSwitches;
  readonly #links: AssetLinks;
  readonly #random: Random;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(links: AssetLinks, random: Random, retryScale: number) {
    this.#links = links;
    this.#random = random;
    this.switches = {
      early: false,
      lateMs: 0,
      duplicate: 0,
      lost: 0,
      signature: 'v3+v1',
      deadlineMs: 10_000,
      maxRetries: 10,
      retryScale,
    };
  }

  tell(render: Render): void {
    const row = this.#record(render);
    if (this.#isLost()) return;
    const go = (): void => {
      for (const parcel of this.#parcels(row, render))
        for (let copy = 0; copy <= this.switches.duplicate; copy++) this.courier.ship(parcel);
    };
    if (this.switches.lateMs === 0) {
      go();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      go();
    }, this.switches.lateMs);
    this.#timers.add(timer);
  }

  /** Sends at once and waits for the answers: the callback that overtakes the submission's own answer. */
  async tellNow(render: Render): Promise<Outcome[]> {
    const row = this.#record(render);
    if (this.#isLost()) return [];
    return Promise.all(this.#parcels(row, render).map((parcel) => this.courier.attempt(parcel)));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.courier.stop();
  }

  #isLost(): boolean {
    if (this.switches.lost === 0) return false;
    if (this.switches.lost > 0) this.switches.lost -= 1;
    return true;
  }

  #record(render: Render): HistoryRow {
    const row = {
      event_id: `evt_${this.#random.hex(24)}`,
      event_type: render.status === 'completed' ? 'avatar_video.success' : 'avatar_video.fail',
      event_data: this.#data(render),
      created_at: Math.floor(Date.now() / 1000),
    };
    this.history.unshift(row);
    return row;
  }

  #data(render: Render): JsonObject {
    const { id: video_id, callbackId: callback_id } = render;
    if (render.status === 'failed') return { video_id, msg: render.failureMessage, callback_id };
    return {
      video_id,
      url: this.#links.link(render, '1280x720.mp4'),
      gif_download_url: null,
      video_page_url: this.#links.page(render),
      video_share_page_url: this.#links.page(render),
      folder_id: render.folderId,
      callback_id,
    };
  }

  #parcels({ event_id, event_type, event_data }: HistoryRow, render: Render): Parcel[] {
    const body = JSON.stringify({ event_type, event_data });
    const to = [...this.endpoints.values()].filter(({ events }) => events.length === 0 || events.includes(event_type));
    const parcels = to.map((endpoint) =>
      this.#parcel(endpoint, body, () => signed(this.switches.signature, endpoint.secret, body, event_id)),
    );
    if (render.callbackUrl !== null) parcels.push(this.#parcel(this.#near(render.callbackUrl), body, () => ({})));
    return parcels;
  }

  /** A callback URL at the origin of an endpoint is delivered where that endpoint's deliveries go. */
  #near(url: string): { url: string; deliverTo?: string } {
    const originOf = (address: string): string | undefined => URL.parse(address)?.origin;
    const there = [...this.endpoints.values()].find((endpoint) => originOf(endpoint.url) === originOf(url));
    return { url, deliverTo: there?.deliverTo };
  }

  #parcel(to: { url: string; deliverTo?: string }, body: string, signature: () => Record<string, string>): Parcel {
    return {
      kind: 'callback',
      url: to.url,
      deliverTo: to.deliverTo,
      deadlineMs: this.switches.deadlineMs,
      maxRetries: this.switches.maxRetries,
      retryDelay: (retry) => Math.min(1000 * 2 ** (retry - 1), 60_000) * this.switches.retryScale,
      pack: () => ({ body, headers: { 'Content-Type': 'application/json', ...signature() } }),
    };
  }
}
