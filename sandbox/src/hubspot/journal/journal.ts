import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Change } from '../crm/record-store.ts';
import { JOURNAL_ACTIONS, type JournalAction, type JournalEvent, journalEvents } from './journal-events.ts';

export interface JournalSubscription {
  id: number;
  appId: number;
  subscriptionType: 'OBJECT';
  objectTypeId: string;
  portalId: number;
  actions: JournalAction[];
  /** Every property where there is none. */
  properties: string[];
  objectIds: number[];
  createdAt: string;
  updatedAt: string;
}

export type Asked = Pick<JournalSubscription, 'objectTypeId' | 'actions' | 'properties' | 'objectIds'>;

export interface JournalFile {
  offset: string;
  publishedAt: number;
  journalEvents: JournalEvent[];
}

export interface JournalOptions {
  portalId: number;
  appId: number;
  clientSecret: string;
}

export interface JournalSwitches {
  /** How many events one file holds at most. */
  eventsPerFile: number;
  /** How long changes are gathered before they are a file. */
  collectMs: number;
  retentionMs: number;
  urlLifeMs: number;
}

const DAY_MS = 86_400_000;
const AT_FIRST = ['0-1', '0-2', '0-3', '0-5'];

/** What the account's records went through, in files that stand for three days, whoever was sent webhooks of it. */
export class Journal {
  readonly switches: JournalSwitches = {
    eventsPerFile: 10_000,
    collectMs: 50,
    retentionMs: 3 * DAY_MS,
    urlLifeMs: 300_000,
  };
  subscriptions: JournalSubscription[] = [];
  readonly #options: JournalOptions;
  #files: JournalFile[] = [];
  #collected: JournalEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #made = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    for (const objectTypeId of AT_FIRST)
      this.subscribe({ objectTypeId, actions: [...JOURNAL_ACTIONS], properties: [], objectIds: [] });
  }

  subscribe(asked: Asked): JournalSubscription {
    const { portalId, appId } = this.#options;
    const at = new Date().toISOString();
    const id = ++this.#made;
    const made = { id, appId, subscriptionType: 'OBJECT' as const, portalId, ...asked, createdAt: at, updatedAt: at };
    this.subscriptions.push(made);
    return made;
  }

  note(changes: readonly Change[]): void {
    const events = journalEvents(changes, this.#options.portalId);
    this.#collected.push(...events.flatMap((event) => this.#subscribed(event)));
    if (this.#collected.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.write(), this.switches.collectMs);
  }

  /** Makes files of what was gathered, now. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { eventsPerFile } = this.switches;
    for (let start = 0; start < this.#collected.length; start += eventsPerFile)
      this.#files.push({
        offset: randomUUID(),
        publishedAt: Date.now(),
        journalEvents: this.#collected.slice(start, start + eventsPerFile),
      });
    this.#collected = [];
  }

  /** All files that still stand, the oldest first. */
  get files(): readonly JournalFile[] {
    const since = Date.now() - this.switches.retentionMs;
    this.#files = this.#files.filter(({ publishedAt }) => publishedAt > since);
    return this.#files;
  }

  get waiting(): number {
    return this.#collected.length;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The query of a link to a file, good for a short while. */
  signed(offset: string): { query: string; expiresAt: number } {
    const expiresAt = Date.now() + this.switches.urlLifeMs;
    return { query: `expires=${expiresAt}&signature=${this.#signatureOf(offset, String(expiresAt))}`, expiresAt };
  }

  isSigned(offset: string, expires: string, signature: string): boolean {
    const [given, right] = [Buffer.from(signature), Buffer.from(this.#signatureOf(offset, expires))];
    return given.length === right.length && timingSafeEqual(given, right) && Number(expires) > Date.now();
  }

  #signatureOf(offset: string, expires: string): string {
    return createHmac('sha256', this.#options.clientSecret).update(`${offset} ${expires}`).digest('hex');
  }

  #subscribed(event: JournalEvent): JournalEvent[] {
    const asked = this.subscriptions.filter(
      ({ objectTypeId, actions, objectIds }) =>
        objectTypeId === event.objectTypeId &&
        actions.includes(event.action) &&
        (objectIds.length === 0 || objectIds.includes(event.objectId)),
    );
    if (asked.length === 0) return [];
    const isAll = asked.some(({ properties }) => properties.length === 0);
    const { propertyChanges, ...rest } = event;
    if (isAll || !propertyChanges) return [event];
    const named = new Set(asked.flatMap(({ properties }) => properties));
    const left = Object.entries(propertyChanges).filter(([name]) => named.has(name));
    if (left.length > 0) return [{ ...rest, propertyChanges: Object.fromEntries(left) }];
    return event.action === 'UPDATE' ? [] : [rest];
  }
}
